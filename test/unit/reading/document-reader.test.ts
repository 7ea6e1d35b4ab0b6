import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DocumentReader } from '../../../src/reading/document-reader.js';
import { Unreadable } from '../../../src/reading/unreadable.js';

/** Reading processes of all kinds, good and bad: what becomes of them, and of who waits. */

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokencast-reader-'));
});
afterAll(() => rm(folder, { recursive: true }));

const never = new AbortController().signal;

/** A reader whose processes run this; each has left its process id in a file of this name by then. */
async function readerOf(
  body: string,
  options: Partial<ConstructorParameters<typeof DocumentReader>[0]> = {},
) {
  const program = join(folder, `${crypto.randomUUID()}.mjs`);
  const pidFile = `${program}.pid`;
  const head = `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));`;
  await writeFile(program, `${head}\n${body}`);
  const reader = new DocumentReader({
    concurrency: 1,
    timeoutMs: 60_000,
    maxMemoryBytes: 2 ** 40,
    program,
    ...options,
  });
  const pid = () => vi.waitFor(async () => Number(await readFile(pidFile, 'utf8')), { timeout: 10_000 });
  return { reader, pid };
}

const isGone = (pid: number) => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

const forever = 'setInterval(() => {}, 1000);';
/** Answers with what it was to read. */
const echo = `process.send({ document: { mediaType: process.argv[2], sections: [] } }, () => process.disconnect());`;

describe('what a file does to the process that reads it is that process’s end alone:', () => {
  test('time without end', async () => {
    const { reader, pid } = await readerOf(forever, { timeoutMs: 1500 });
    await expect(reader.read('x', 'ada', never)).rejects.toEqual(
      new Unreadable('unreadable', 'The file takes too long to read.'),
    );
    await vi.waitFor(async () => {
      expect(isGone(await pid())).toBe(true);
    });
  });

  test.runIf(process.platform === 'linux')('memory without end', async () => {
    const hoard = 'const all = []; setInterval(() => all.push(Buffer.alloc(20_000_000, 1)), 20);';
    const { reader, pid } = await readerOf(hoard, { maxMemoryBytes: 200_000_000 });
    await expect(reader.read('x', 'ada', never)).rejects.toEqual(
      new Unreadable('unreadable', 'The file takes too much memory to read.'),
    );
    await vi.waitFor(async () => {
      expect(isGone(await pid())).toBe(true);
    });
  });

  test.each(['process.exit(3);', "throw new Error('a fault');", "process.kill(process.pid, 'SIGSEGV');"])(
    'its end without an answer: %s',
    async (end) => {
      const { reader } = await readerOf(end);
      await expect(reader.read('x', 'ada', never)).rejects.toMatchObject({
        reason: 'unreadable',
        message: 'The file is broken, or unlike any that can be read.',
      });
    },
  );
});

test('nothing is read for who has left, and what is being read is given up', async () => {
  const { reader, pid } = await readerOf(forever);
  const leaving = new AbortController();
  const reason = new Error('gone');
  const reading = reader.read('x', 'ada', leaving.signal);
  const waiting = reader.read('y', 'ada', leaving.signal);
  const running = await pid();
  leaving.abort(reason);
  await expect(reading).rejects.toBe(reason);
  await expect(waiting).rejects.toBe(reason);
  await vi.waitFor(() => {
    expect(isGone(running)).toBe(true);
  });
});

test('whoever sends many files holds up nobody who sends one', async () => {
  const { reader } = await readerOf(echo);
  const order: string[] = [];
  const read = async (path: string, owner: string) => {
    order.push((await reader.read(path, owner, never)).mediaType);
  };
  const many = Array.from({ length: 5 }, (_, i) => read(`eve ${i}`, 'eve'));
  await Promise.all([...many, read('ada', 'ada'), read('bob', 'bob')]);
  expect(order.slice(0, 3)).toEqual(['eve 0', 'ada', 'bob']);
  expect(order.slice(3)).toEqual(['eve 1', 'eve 2', 'eve 3', 'eve 4']);
});
