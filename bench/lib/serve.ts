/** What a process of a bench does when it is told to; arguments and results travel as JSON. */
export type Handlers = Record<string, (...args: never[]) => unknown>;

interface Call {
  id: number;
  name: string;
  args: unknown[];
}

/** Answers the calls of the process that has started this one (`remote.ts`), and ends with it. */
export function serve(handlers: Handlers): void {
  const answer = async ({ id, name, args }: Call) => {
    try {
      process.send?.({ id, result: await handlers[name]?.(...(args as never[])) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  };
  process.on('message', (call: Call) => void answer(call));
  process.once('disconnect', () => process.exit());
}
