/**
 * What answers cost the machine: processor time and memory of the program at rest, and while answers are streamed to those
 * who watch them. All roles are in one process, its stores and the model in others, which are not counted. Processor time
 * hardly depends on what else the machine does, so it is what one sizes by.
 *
 * Runs the built program (`npm start`) on embedded stores of its own: `npm run bench:capacity [answers] [watchers of each]`.
 */
import { Person } from '../test/support/person.js';
import { continuing } from '../test/support/upstream.js';
import { startProgram } from './program.js';

const answers = Number(process.argv[2] ?? 50);
const watchers = Number(process.argv[3] ?? 2);
/** Of each answer: chunks of eight characters, twenty a second. */
const chunks = 200;
const delayMs = 50;

const { url, upstream, stop } = await startProgram({ WORKER_CONCURRENCY: String(answers) });
try {
  upstream.answerWith(continuing('measured'.repeat(chunks), 8), { delayMs });
  const ada = await Person.signIn({ url }, 'Ada');
  await round(Math.ceil(answers / 5)); // what is compiled at the first use is not counted
  const rest = await usage();
  const peakBytes = await round(answers);
  const after = await usage();
  const told = answers * chunks * watchers;
  console.table({
    'memory at rest, MiB': mebibytes(rest.bytes),
    'memory at the most, MiB': mebibytes(peakBytes),
    'processor ms for an answer': ms((after.seconds - rest.seconds) / answers),
    'processor ms for 1000 chunks told to a watcher': ms(((after.seconds - rest.seconds) / told) * 1000),
  });
  ada.leave();

  /** So many answers at once; the most memory that was seen meanwhile. */
  async function round(count: number): Promise<number> {
    let most = 0;
    const looking = setInterval(() => {
      usage().then(
        ({ bytes }) => (most = Math.max(most, bytes)),
        () => undefined,
      );
    }, 500);
    try {
      await Promise.all(Array.from({ length: count }, () => watchedAnswer()));
    } finally {
      clearInterval(looking);
    }
    return most;
  }

  async function watchedAnswer(): Promise<void> {
    const conversationId = await ada.converse();
    const clients = Array.from({ length: watchers }, () => ada.socket(conversationId));
    await Promise.all(clients.map((client) => client.connect()));
    const { generation } = await ada.ask(conversationId, 'measure');
    await Promise.all(clients.map((client) => client.ended(generation.id)));
    for (const client of clients) client.drop();
  }
} finally {
  await stop();
}

/** What the program has used so far, and holds now. */
async function usage(): Promise<{ seconds: number; bytes: number }> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
  return { seconds: value('process_cpu_seconds_total'), bytes: value('process_resident_memory_bytes') };
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}

function ms(seconds: number): number {
  return Math.round(seconds * 1000);
}
