import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { freePort } from '../src/lib/free-port.js';
import type { RoomClient } from '../test/support/clients.js';
import type { Person } from '../test/support/person.js';
import { temporaryDataDir } from '../test/support/temporary-data-dir.js';
import { startUpstream, type Upstream, type UpstreamRequest } from '../test/support/upstream.js';

/** The built program (`npm start`) on embedded stores of its own, and the model that it asks. */
export interface Program {
  url: string;
  upstream: Upstream;
  stop: () => Promise<void>;
}

export async function startProgram(env: Record<string, string> = {}): Promise<Program> {
  const [upstream, dataDir, port] = await Promise.all([startUpstream(), temporaryDataDir(), freePort()]);
  const url = `http://127.0.0.1:${port}`;
  const program = spawn(process.execPath, ['dist/src/main.js'], {
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      DATA_DIR: dataDir,
      ANTHROPIC_API_KEY: 'bench',
      ANTHROPIC_BASE_URL: upstream.url,
      DEFAULT_MODEL: 'claude-haiku-4-5',
      USER_MESSAGES_PER_MINUTE: '1000000',
      LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(program, 'exit');
  process.once('exit', () => program.kill('SIGKILL'));
  const stop = async () => {
    program.kill('SIGTERM');
    await ended;
    await upstream.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  for await (const line of createInterface(program.stdout))
    if (line.includes(url)) {
      program.stdout.resume();
      return { url, upstream, stop };
    }
  await stop();
  throw new Error('the program has ended; was it built?');
}

/** Asks, and resolves once the model has been asked. */
export async function ask(
  person: Person,
  conversationId: string,
  modelAsked: () => Promise<UpstreamRequest>,
): Promise<{ id: string; model: UpstreamRequest }> {
  const [{ generation }, model] = await Promise.all([person.ask(conversationId, 'measure'), modelAsked()]);
  return { id: generation.id, model };
}

/** When the generation's first text came, on the clock of `performance.now()`. */
export async function firstDelta(client: RoomClient, generationId: string): Promise<number> {
  await client.waitFor(
    'generation.chunk',
    ({ chunk, generationId: id }) => id === generationId && chunk.type === 'content_block_delta',
  );
  return performance.now();
}

/** A row of a table of times. */
export interface Row {
  'median ms': number;
  'p99 ms': number;
  'max ms': number;
  rounds: number;
}

export function summary(values: readonly number[]): Row {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.ceil(share * sorted.length) - 1] ?? NaN).toFixed(1));
  return { 'median ms': at(0.5), 'p99 ms': at(0.99), 'max ms': at(1), rounds: sorted.length };
}
