import { setTimeout as sleep } from 'node:timers/promises';
import { conversationRoom, type Room } from '../../src/wire/room.js';
import type { SystemProcess } from '../../test/support/system.js';
import { Model } from '../lib/model-process.js';
import { portOf } from '../lib/port-of.js';
import { startProduct } from '../lib/product.js';
import { Remote } from '../lib/remote.js';
import { median, table } from '../lib/statistics.js';
import { cpuUsOf } from '../lib/usage.js';
import type { Part, PartOptions, Stores } from '../part.js';
import type { Clients } from './clients.js';

/** So many processes of each role, and so many answers at once over all of them. */
interface Size {
  apis: number;
  workers: number;
  answers: number;
}

const answers = 40;
const answersOfEach = 20;
const counts = [2, 4, 8];
const apiCounts = [2, 4];
const one: Size = { apis: 1, workers: 1, answers };
const oneOfEach: Size = { ...one, answers: answersOfEach };
/** The same work on more and more processes: each has less of it. */
const spread: readonly Size[] = [
  one,
  ...counts.map((workers) => ({ ...one, workers })),
  ...apiCounts.map((apis) => ({ ...one, apis })),
];
/** More and more work on as many more processes: each has the same. */
const added = {
  workers: [oneOfEach, ...counts.map((workers) => ({ ...one, workers, answers: workers * answersOfEach }))],
  apis: [oneOfEach, ...apiCounts.map((apis) => ({ ...one, apis, answers: apis * answersOfEach }))],
};
const sizes = [...new Set([...spread, ...added.workers, ...added.apis])];
const watchersOfEach = 2;
const chunksPerSecond = 30;
/** A process is young for some thousand chunks: its code is compiled then. One of eight takes as long for them as this. */
const warmUpMs = 25_000;

interface Sample {
  workersUs: number;
  apisUs: number;
  loadShare: number;
}

/** What a chunk costs all workers and all apis when there are more and more of them. */
export const processes: Part = { name: 'processes', title: 'Growth: processes', measure };

async function measure({ stores, rounds, seconds }: PartOptions): Promise<string> {
  const samples = new Map(sizes.map((size) => [size, [] as Sample[]]));
  for (let round = 1; round <= rounds; round += 1)
    for (const [size, taken] of samples) {
      taken.push(await measureOne(size, stores, seconds));
      console.log(`round ${round}, ${JSON.stringify(size)}: ${JSON.stringify(taken.at(-1))}`);
    }
  const figuresOf = (size: Size, figure: keyof Sample, first: Size) => {
    const taken = samples.get(size) ?? [];
    const ratios = taken.map(
      (sample, round) => sample[figure] / (samples.get(first)?.[round]?.[figure] ?? NaN),
    );
    const us = median(taken.map((sample) => sample[figure]));
    return [us.toFixed(figure === 'apisUs' ? 1 : 0), median(ratios).toFixed(2)];
  };
  const spreadRows = spread.map((size) => [
    String(size.workers),
    String(size.apis),
    ...figuresOf(size, 'workersUs', one),
    ...figuresOf(size, 'apisUs', one),
  ]);
  const spreadHead = [
    'workers',
    'apis',
    'µs of all workers for a chunk',
    '×',
    'µs of all apis for a chunk told',
    '×',
  ];
  const addedRows = (role: 'workers' | 'apis') =>
    added[role].map((size) => [
      `${size[role]} ${role}`,
      String(size.answers),
      ...figuresOf(size, `${role}Us`, oneOfEach),
    ]);
  const addedHead = ['processes', 'answers', 'µs of all of them for a chunk', '×'];
  return `Answers of ${chunksPerSecond} chunks a second, ${watchersOfEach} clients in each room. Medians of processor time, all that the processes do beside it included; ×: to the first row of the same round.

As many answers in each process, ${answersOfEach}: processes are added since there is more to do. (To one api where workers are added, and from one worker where apis are.)

${table(addedHead, [...addedRows('workers'), ...addedRows('apis')])}

The same ${answers} answers over more and more processes, each of which has less to do: what comes together less is handled together less, and a process that rests between two chunks finds its memory in the processor’s caches no more.

${table(spreadHead, spreadRows)}`;
}

async function measureOne(
  { apis, workers, answers }: Size,
  stores: Stores,
  seconds: number,
): Promise<Sample> {
  const model = await Model.start(chunksPerSecond);
  const { system, person, stop } = await startProduct(stores, {
    apis,
    workers,
    upstream: model,
    // As `npm run start:worker` has it.
    nodeArgs: { worker: ['--max-semi-space-size=64'] },
    env: { WORKER_CONCURRENCY: String(Math.ceil(answers / workers)) },
  });
  const clients = new Remote<Clients>('./clients.ts', import.meta.url);
  try {
    const rooms: Room[] = [];
    for (let n = 0; n < answers; n += 1) rooms.push(conversationRoom(await person.converse()));
    for (let n = 0; n < apis * watchersOfEach; n += 1) {
      const port = portOf(system.api(n % apis).url);
      const ofApi = rooms.filter((_room, at) => at % apis === n % apis);
      await clients.call(
        'watch',
        { port, token: person.token },
        ofApi.map((room) => [room]),
      );
    }
    await Promise.all(rooms.map((room) => person.ask(room.slice(room.indexOf(':') + 1), 'measure')));
    model.write();
    await sleep(warmUpMs);
    await clients.call('measure');
    const before = { workers: cpuOfAll(system.workers), apis: cpuOfAll(system.apis) };
    await sleep(seconds * 1000);
    const { delivered, cpuShare } = await clients.call('report');
    if (delivered === 0) throw new Error('nothing was told');
    return {
      workersUs: (cpuOfAll(system.workers) - before.workers) / (delivered / watchersOfEach),
      apisUs: (cpuOfAll(system.apis) - before.apis) / delivered,
      loadShare: cpuShare,
    };
  } finally {
    clients.end();
    model.end();
    await stop();
  }
}

const cpuOfAll = (processes: readonly SystemProcess[]) =>
  processes.reduce((sum, { pid = 0 }) => sum + cpuUsOf(pid), 0);
