import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKeys } from '../../src/redis/keys.js';
import { conversationRoom } from '../../src/wire/room.js';
import { openScene, type Scene } from '../support/scene.js';
import { temporaryDataDir } from '../support/temporary-data-dir.js';

let scene: Scene;
let redis: Redis;
let statementsFile: string;

beforeAll(async () => {
  statementsFile = join(await temporaryDataDir(), 'statements');
  const recorder = `--import=${fileURLToPath(new URL('../support/record-statements.mjs', import.meta.url))}`;
  scene = await openScene({
    env: { STATEMENTS_FILE: statementsFile, STATEMENTS_EVERY_TIME: 'true' },
    nodeArgs: { worker: [recorder] },
  });
  redis = new Redis(scene.system.redisUrl);
}, 60_000);
afterAll(async () => {
  redis.disconnect();
  await scene.close();
});

/** Enough for progress to be told several times. */
const chunks = 150;
/** What is told of the progress goes with the next chunk, or alone where none comes for 50 ms. */
const lateMs = 25;

/** Begins an answer. `say` resolves once the log has what it says, so that no chunks are joined. */
async function begin() {
  const asked = await scene.ask();
  const log = createKeys(scene.system.keyPrefix).log(conversationRoom(asked.conversationId));
  const newest = async () => (await redis.xrevrange(log, '+', '-', 'COUNT', 1))[0]?.[1].join(' ');
  const say = async (text: string) => {
    asked.model.text(text);
    await expect.poll(newest, { interval: 2, timeout: 10_000 }).toContain(text);
  };
  await say('<first>');
  return { ...asked, say };
}

test('a chunk costs one command of Redis at most, what is told of the progress included', async () => {
  const { conversationId, model, say } = await begin();
  const own = /addr=(\S+)/.exec(await redis.client('INFO'))?.[1];
  const monitor = await redis.duplicate().monitor();
  const sent: string[][] = [];
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    if (source !== 'lua' && source !== own) sent.push(args);
  });
  let late = 0;
  for (let n = 0; n < chunks; n += 1) {
    const since = performance.now();
    await say(`<${n}>`);
    if (performance.now() - since > lateMs) late += 1;
  }
  const mark = `the end of ${conversationId}`;
  const told = once(monitor, 'marked');
  monitor.on('monitor', (_time: string, args: string[]) => {
    if (args[1] === mark) monitor.emit('marked');
  });
  await redis.echo(mark);
  await told;
  monitor.disconnect();
  const ofRoom = sent.filter((args) => args.some((arg) => arg.includes(`{conversation:${conversationId}}`)));
  const appends = ofRoom.filter((args) => args.some((arg) => arg.includes('generation.chunk')));
  expect(appends.length).toBeGreaterThan(chunks / 2);
  expect(ofRoom.some((args) => args.some((arg) => arg.includes('generation.progress')))).toBe(true);
  expect(ofRoom.length).toBeLessThanOrEqual(chunks + late);
  model.stop();
});

test('between its beginning and its end a generation asks Postgres nothing', async () => {
  const statements = async () => (await readFile(statementsFile, 'utf8')).trim().split('\n');
  const { conversationId, generation, prompt, model, say } = await begin();
  const before = (await statements()).length;
  for (let n = 0; n < chunks; n += 1) await say(`<${n}>`);
  const during = (await statements()).slice(before);
  const ids = [conversationId, generation.id, generation.messageId, prompt.id];
  const isOfIt = (statement: string) => ids.some((id) => statement.includes(id));
  expect(during.filter(isOfIt)).toEqual([]);
  model.stop();
  await scene.ada.ended(generation.id);
  // The recorder sees what there is to see: this end is written.
  expect((await statements()).slice(before).some(isOfIt)).toBe(true);
});
