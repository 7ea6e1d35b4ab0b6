/**
 * As `Promise.all`, but a failure is told once everything has settled: nothing of what was begun beside it goes on behind
 * the back of whoever cleans up. Told is what failed first.
 */
export async function together<const Work extends readonly unknown[]>(
  work: Work,
): Promise<{ -readonly [Each in keyof Work]: Awaited<Work[Each]> }> {
  const failures: unknown[] = [];
  const results = await Promise.all(
    work.map(async (each) => {
      try {
        return await each;
      } catch (error) {
        failures.push(error);
        return undefined;
      }
    }),
  );
  if (failures.length > 0) throw failures[0];
  return results as { -readonly [Each in keyof Work]: Awaited<Work[Each]> };
}
