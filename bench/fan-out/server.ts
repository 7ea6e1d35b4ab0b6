import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A server of a comparison, in a process of its own. */
export interface Server {
  pid: number;
  end: () => Promise<void>;
}

/** With the signals that end them. */
const running = new Map<ChildProcess, NodeJS.Signals>();
process.once('exit', () => {
  for (const [child, signal] of running) child.kill(signal);
});

/** Ends a process with this one, if it is not ended before; resolves when it has ended. */
export function endingWithThis(child: ChildProcess, signal: NodeJS.Signals): () => Promise<void> {
  running.set(child, signal);
  const ended = once(child, 'exit').then(() => running.delete(child));
  return async () => {
    child.kill(signal);
    await ended;
  };
}

/** Runs a program of `servers`, and resolves once it says that it is ready. */
export async function startServer(program: string, ...args: (string | number)[]): Promise<Server> {
  const path = fileURLToPath(new URL(`./servers/${program}.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', path, ...args.map(String)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const end = endingWithThis(child, 'SIGKILL');
  await Promise.race([once(child, 'message'), once(child, 'exit')]);
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null) throw new Error(`${program} did not start`);
  return { pid, end };
}
