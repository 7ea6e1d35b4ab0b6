import { setTimeout as sleep } from 'node:timers/promises';
import { median, table } from '../lib/statistics.js';
import { cpuUsOf, memoryOf } from '../lib/usage.js';
import type { Stores } from '../part.js';
import { Load } from './load-process.js';
import type { FanOutSystem } from './system.js';
import { writeEvenly } from './write.js';

const rooms = 50;
/** In each room, for which the process makes what it needs once: code, and room for what is short-lived. */
const firstClients = 4;
/** In each room, behind them: those that are counted. */
const moreClients = 20;
const chunksPerSecond = 10;
const warmUpMs = 2000;
const settleMs = 2000;
const lookEveryMs = 100;

/** What a client takes of the process that writes to it. */
export interface Held {
  idleKb: number;
  streamingKb: number;
  /** Processor time of coming in. */
  cameInUs: number;
}

/** What more and more clients add to the resident memory of a system: while nothing is told, and while all rooms are told. */
export async function measureMemory(
  system: FanOutSystem,
  stores: Stores,
  streamingMs: number,
): Promise<Held> {
  const running = await system.start(stores, rooms);
  const loads = [new Load(), new Load()] as const;
  const connect = (load: Load, clientsPerRoom: number) =>
    load.connect(running.doors.flatMap((door) => Array.from({ length: clientsPerRoom }, () => door)));
  const whileWriting = async <T>(task: () => Promise<T>): Promise<T> => {
    const writing = new AbortController();
    const written = writeEvenly(running, chunksPerSecond, writing.signal);
    try {
      return await task();
    } finally {
      writing.abort();
      await written;
    }
  };
  try {
    await connect(loads[0], firstClients);
    await whileWriting(() => sleep(warmUpMs));
    await sleep(settleMs);
    const before = { bytes: memoryOf(running.pid), cpuUs: cpuUsOf(running.pid) };
    await connect(loads[1], moreClients);
    const cpuUs = cpuUsOf(running.pid) - before.cpuUs;
    await sleep(settleMs);
    const idle = memoryOf(running.pid);
    const streaming = await whileWriting(async () => {
      await sleep(warmUpMs);
      return residentOver(running.pid, streamingMs);
    });
    const clients = rooms * moreClients;
    const kbOfEach = (bytes: number) => (bytes - before.bytes) / 1024 / clients;
    return { idleKb: kbOfEach(idle), streamingKb: kbOfEach(streaming), cameInUs: cpuUs / clients };
  } finally {
    for (const load of loads) load.end();
    await running.stop();
  }
}

/** The median over some time, as garbage comes and goes. */
async function residentOver(pid: number, ms: number): Promise<number> {
  const taken: number[] = [];
  const end = performance.now() + ms;
  while (performance.now() < end) {
    taken.push(memoryOf(pid));
    await sleep(lookEveryMs);
  }
  return median(taken);
}

export function memoryTable(samples: ReadonlyMap<FanOutSystem, readonly Held[]>): string {
  const rows = [...samples].map(([{ name }, taken]) => {
    const of = (figure: keyof Held) => median(taken.map((held) => held[figure]));
    return [
      name,
      of('idleKb').toFixed(1),
      of('streamingKb').toFixed(1),
      Math.round(of('cameInUs')).toString(),
    ];
  });
  const count = (clients: number) => (rooms * clients).toLocaleString('en');
  const legend = `What each of ${count(moreClients)} clients, in ${rooms} rooms, adds to a process that has ${count(firstClients)}. Medians of its resident memory in KB, without the kernel’s buffers: while nothing is told, and at ${chunksPerSecond} chunks a second in each room. And µs of its processor time for letting a client in: \`resumable-stream\` resumes a stream then, and the product looks whether somebody may and what there is to see.`;
  return `${legend}\n\n${table(['system', 'idle, KB', 'streaming, KB', 'coming in, µs'], rows)}`;
}
