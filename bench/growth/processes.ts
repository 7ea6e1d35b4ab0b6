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

interface Roles {
  apis: number;
  workers: number;
}

const sizes: readonly Roles[] = [
  { apis: 1, workers: 1 },
  { apis: 1, workers: 2 },
  { apis: 1, workers: 4 },
  { apis: 1, workers: 8 },
  { apis: 2, workers: 1 },
  { apis: 4, workers: 1 },
];
/** At once, whatever the number of processes. */
const answers = 40;
const watchersOfEach = 2;
const chunksPerSecond = 30;
/** A process is young for some seconds: its code is compiled then. */
const warmUpMs = 12_000;

interface Sample {
  workersUs: number;
  apisUs: number;
  loadShare: number;
}

/** What a chunk costs all workers and all apis when the same answers are spread over more and more of them. */
export const processes: Part = { name: 'processes', title: 'Growth: processes', measure };

async function measure({ stores, rounds, seconds }: PartOptions): Promise<string> {
  const samples = new Map(sizes.map((roles) => [roles, [] as Sample[]]));
  for (let round = 1; round <= rounds; round += 1)
    for (const [roles, taken] of samples) {
      taken.push(await measureOne(roles, stores, seconds));
      console.log(`round ${round}, ${JSON.stringify(roles)}: ${JSON.stringify(taken.at(-1))}`);
    }
  const first = [...samples.values()][0] ?? [];
  const rows = [...samples].map(([{ apis, workers }, taken]) => {
    const of = (figure: keyof Sample) => median(taken.map((sample) => sample[figure]));
    const ratio = (figure: keyof Sample) =>
      median(taken.map((sample, round) => sample[figure] / (first[round]?.[figure] ?? NaN))).toFixed(2);
    const figures = [
      of('workersUs').toFixed(0),
      ratio('workersUs'),
      of('apisUs').toFixed(1),
      ratio('apisUs'),
    ];
    return [String(workers), String(apis), ...figures];
  });
  const head = [
    'workers',
    'apis',
    'µs of all workers for a chunk',
    '×',
    'µs of all apis for a chunk told',
    '×',
  ];
  return `${answers} answers at once, ${chunksPerSecond} chunks a second each, ${watchersOfEach} clients in each room. Medians of processor time, all that the processes do beside it included; ×: to the first row of the same round.\n\n${table(head, rows)}`;
}

async function measureOne({ apis, workers }: Roles, stores: Stores, seconds: number): Promise<Sample> {
  const model = await Model.start(chunksPerSecond);
  const { system, person, stop } = await startProduct(stores, {
    apis,
    workers,
    upstream: model,
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
