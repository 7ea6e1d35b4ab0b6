import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Ended {
  code: number | null;
  out: string;
  said: string;
}

/** The command `tokencast` as a process, as people run it. Needs the build. */
export function startCli(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['dist/src/cli/tokencast.js', ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let out = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (out += piece));
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (said += piece));
  const ended = once(child, 'close').then(([code]): Ended => ({ code: code as number | null, out, said }));
  return {
    child,
    ended,
    /** Resolves once it has written so. @throws it has ended without */
    writes: async (words: string) => {
      while (!out.includes(words)) {
        const more = await Promise.race([once(child.stdout, 'data'), ended]);
        if (!Array.isArray(more) && !out.includes(words))
          throw new Error(`${words} was not written, but:\n${out}\n${said}`);
      }
      return out;
    },
    /** A line of its input. */
    enter: (line: string) => child.stdin.write(`${line}\n`),
    /** Its input ends. */
    close: () => child.stdin.end(),
  };
}

/** Runs it to its end, with all of its input. */
export function runCli(args: readonly string[], env?: Record<string, string>, input = ''): Promise<Ended> {
  const { child, ended } = startCli(args, env);
  child.stdin.end(input);
  return ended;
}
