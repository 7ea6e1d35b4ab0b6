/**
 * How fast the product is, side by side with others where there are others. `npm run bench` measures all parts,
 * `npm run bench -- fan-out accepting` some; `--rounds 5 --seconds 5` for each. Prints the tables, and writes them into
 * `bench/results.md`, where the sections of parts that were not measured stay.
 *
 * Figures of one machine mean little on another: ratios within a round do.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../src/embedded/postgres.js';
import { startEmbeddedRedis } from '../src/embedded/redis.js';
import { createLogger } from '../src/lib/logger.js';
import { temporaryDataDir } from '../test/support/temporary-data-dir.js';
import { accepting } from './accepting/accepting.js';
import { fanOut } from './fan-out/fan-out.js';
import { idle } from './growth/idle.js';
import { processes } from './growth/processes.js';
import { rooms } from './growth/rooms.js';
import { latency } from './latency/latency.js';
import type { Part } from './part.js';
import { resume } from './resume/resume.js';
import { webPage } from './web-page/web-page.js';
import { worker } from './worker/worker.js';

const parts: readonly Part[] = [fanOut, latency, worker, accepting, resume, rooms, processes, idle, webPage];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '5' } },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
const unknown = positionals.find((name) => !parts.some((part) => part.name === name));
if (unknown !== undefined || !(rounds > 0) || !(seconds > 0)) {
  const names = parts.map(({ name }) => name).join('] [');
  console.error(`Usage: npm run bench -- [${names}] [--rounds 5] [--seconds 5]`);
  process.exit(2);
}

// An orderly exit ends what was started, too.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const results = fileURLToPath(new URL('./results.md', import.meta.url));
for (const part of parts) {
  if (positionals.length > 0 && !positionals.includes(part.name)) continue;
  const body = await measure(part);
  console.log(`\n## ${part.title}\n\n${body}\n`);
  await writeSection(part, body);
}
process.exit(0);

/** Measures on fresh stores. */
async function measure(part: Part): Promise<string> {
  const log = createLogger({ level: 'error', role: 'bench' });
  const dataDir = await temporaryDataDir();
  const [redis, postgres] = await Promise.all([
    startEmbeddedRedis({ dataDir, log }),
    startEmbeddedPostgres({ dataDir, log }),
  ]);
  try {
    const stores = { redisUrl: redis.url, postgresUrl: postgres.url };
    return await part.measure({ stores, rounds, seconds });
  } finally {
    await Promise.all([redis.close(), postgres.close()]);
  }
}

async function writeSection(part: Part, body: string): Promise<void> {
  const before = await readFile(results, 'utf8').catch(() => '');
  const sections = new Map(
    before
      .split(/^## /m)
      .slice(1)
      .map((section) => {
        const end = section.indexOf('\n');
        return [section.slice(0, end), section.slice(end).trim()];
      }),
  );
  const how = `Measured by \`npm run bench -- ${part.name} --rounds ${rounds} --seconds ${seconds}\` on ${cpus().length} cores (${cpus()[0]?.model.trim() ?? ''}), Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}.`;
  sections.set(part.title, `${how}\n\n${body.trim()}`);
  const inOrder = parts.flatMap(({ title }) => {
    const section = sections.get(title);
    return section === undefined ? [] : [`## ${title}\n\n${section}\n`];
  });
  await writeFile(results, ['# Side by side\n', ...inOrder].join('\n'));
}
