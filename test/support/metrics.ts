/** The figures that a process shows at `/metrics`, by name; those with labels by name and labels as they stand there. */
export async function metricsOf({ url }: { url: string }): Promise<Map<string, number>> {
  const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
  return new Map(
    lines
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const end = line.lastIndexOf(' ');
        return [line.slice(0, end), Number(line.slice(end + 1))];
      }),
  );
}

/** One figure. @throws when the process does not show it */
export async function metric(process: { url: string }, name: string): Promise<number> {
  const value = (await metricsOf(process)).get(name);
  if (value === undefined) throw new Error(`there is no metric ${name}`);
  return value;
}
