import { setTimeout as sleep } from 'node:timers/promises';
import { conversationRoom } from '../../src/wire/room.js';
import { startProduct, type Product } from '../lib/product.js';
import { Remote } from '../lib/remote.js';
import type { Model } from '../lib/scripted-model.js';
import { median, quantile, table } from '../lib/statistics.js';
import type { Part, PartOptions } from '../part.js';
import type { Client } from './client.js';

/** Times in µs, by what they are of. */
type Times = Map<string, number[]>;

const chunkEveryMs = 33;
const thinkingMs = 100;
const warmUpChunks = 60;
/** Short answers for each client in a round: first chunks and cancels are measured once in each. */
const answers = 40;

/**
 * How long a chunk takes from the model's process to a client's callback where nothing else goes on; model, api, worker and
 * clients are processes of their own, which share a clock. And how long a cancel takes to close the connection to the model.
 */
export const latency: Part = {
  name: 'latency',
  title: 'Added latency',
  measure: async ({ stores, rounds, seconds }) => {
    const model = new Remote<Model>('../lib/scripted-model.ts', import.meta.url);
    const product = await startProduct(stores, {
      workers: 1,
      upstream: { url: await model.call('url') },
    });
    try {
      return await measureAll(product, model, { rounds, seconds });
    } finally {
      model.end();
      await product.stop();
    }
  },
};

const cancelTalking = 'cancel → model closed, talking';
const cancelSilent = 'cancel → model closed, silent';

const transports = { socket: 'official Socket.IO client', stream: 'event stream' } as const;
type Transport = keyof typeof transports;

async function measureAll(
  product: Product,
  model: Remote<Model>,
  { rounds, seconds }: Pick<PartOptions, 'rounds' | 'seconds'>,
): Promise<string> {
  const taken: Times[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const times: Times = new Map();
    // One after the other: what one is sent and does is the other's delay.
    for (const transport of ['socket', 'stream'] as const)
      await measureOne(transport, product, model, seconds, times);
    taken.push(times);
    console.log(`round ${round}\n${rowsOf([times])}`);
  }
  return `From the model’s writing to the client’s callback, on a system that does nothing else, with one client in the room, 30 chunks a second. Medians over the rounds, ms.\n\n${rowsOf(taken)}`;
}

async function measureOne(
  transport: Transport,
  { system, person }: Product,
  model: Remote<Model>,
  seconds: number,
  times: Times,
): Promise<void> {
  const conversationId = await person.converse();
  const client = new Remote<Client>('./client.ts', import.meta.url);
  const { url } = system.api();
  let ended = 0;
  /** Asks, and lets the model think before it says anything, as models do. */
  const ask = async () => {
    const [{ generation }] = await Promise.all([person.ask(conversationId, 'measure'), model.call('asked')]);
    ended += 1;
    await sleep(thinkingMs);
    return generation.id;
  };
  const answer = async (chunks: number) => {
    await ask();
    await model.call('answer', chunks, chunkEveryMs);
    await client.call('ended', ended);
  };
  const cancelled = async (how: 'talk' | 'hang') => {
    const generationId = await ask();
    await model.call(how);
    if (how === 'talk') await client.call('heard');
    const beganAtUs = await client.call('cancel', url, person.token, generationId);
    const closedAtUs = (await model.call('closedAtUs')) ?? NaN;
    await client.call('ended', ended);
    return closedAtUs - beganAtUs;
  };
  try {
    await client.call(transport, url, person.token, conversationRoom(conversationId));
    await answer(warmUpChunks);
    for (let n = 0; n < answers / 2; n += 1) await cancelled(n % 2 === 0 ? 'talk' : 'hang');
    await client.call('report');
    await answer(Math.ceil((seconds * 1000) / chunkEveryMs));
    const { latencyUs } = await client.call('report');
    times.set(`chunk, ${transports[transport]}`, latencyUs);
    const talking = [...(times.get(cancelTalking) ?? [])];
    const silent = [...(times.get(cancelSilent) ?? [])];
    for (let n = 0; n < answers / 2; n += 1) {
      talking.push(await cancelled('talk'));
      silent.push(await cancelled('hang'));
    }
    const { firstUs } = await client.call('report');
    times.set(`first token → first chunk, ${transports[transport]}`, firstUs);
    times.set(cancelTalking, talking);
    times.set(cancelSilent, silent);
  } finally {
    client.end();
  }
}

function rowsOf(rounds: readonly Times[]): string {
  const names = [...(rounds[0]?.keys() ?? [])];
  const rows = names.map((name) => {
    const of = (share: number) =>
      (median(rounds.map((times) => quantile(times.get(name) ?? [], share))) / 1000).toFixed(2);
    const count = rounds.reduce((sum, times) => sum + (times.get(name)?.length ?? 0), 0);
    return [name, of(0.5), of(0.99), of(1), String(count)];
  });
  return table(['time', 'p50', 'p99', 'max', 'taken'], rows);
}
