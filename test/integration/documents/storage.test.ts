import { randomUUID } from 'node:crypto';
import { access, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FolderStorage } from '../../../src/storage/folder-storage.js';
import type { FileStorage } from '../../../src/storage/file-storage.js';
import { S3Storage } from '../../../src/storage/s3-storage.js';
import { startS3Server, type S3Server } from '../../support/s3-server.js';

let folder: string;
let s3: S3Server;
const opened: FileStorage[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokencast-storage-'));
  s3 = await startS3Server();
});
afterAll(async () => {
  for (const storage of opened) storage.close();
  await s3.close();
  await rm(folder, { recursive: true });
});

const kinds: [string, () => FileStorage][] = [
  ['a folder', () => new FolderStorage(join(folder, 'kept'))],
  [
    'a bucket',
    () =>
      new S3Storage({
        bucket: 'papers',
        endpoint: s3.url,
        region: 'eu-central-1',
        prefix: 'tokencast/',
        credentials: Object.freeze({ accessKeyId: 'the-key', secretAccessKey: 'the secret' }),
      }),
  ],
];

describe.each(kinds)('%s', (_name, open) => {
  let storage: FileStorage;
  beforeAll(() => {
    storage = open();
    opened.push(storage);
  });

  const saved = async (content: Buffer) => {
    const [key, path] = [randomUUID(), join(folder, randomUUID())];
    await writeFile(path, content);
    await storage.save(key, path);
    await expect(access(path)).rejects.toMatchObject({ code: 'ENOENT' });
    return key;
  };
  const read = async (key: string) => {
    const file = await storage.open(key);
    return file && (await buffer(file));
  };

  test('takes a file, gives it back, and forgets it', async () => {
    const key = await saved(Buffer.from('Some words.'));
    expect(String(await read(key))).toBe('Some words.');
    await storage.remove(key);
    expect(await storage.open(key)).toBeUndefined();
    await storage.remove(key);
  });

  test('keeps a large file whole, and an empty one', async () => {
    const large = Buffer.alloc(6_000_001, 'abc');
    expect((await read(await saved(large)))?.equals(large)).toBe(true);
    expect((await read(await saved(Buffer.alloc(0))))?.length).toBe(0);
  });
});

test('in a bucket keys have their prefix, large files come in parts, and requests are signed', () => {
  expect([...s3.objects.keys()].every((key) => /^papers\/tokencast\/[\w-]+$/.test(key))).toBe(true);
  expect(s3.multipartUploads).toBeGreaterThan(0);
  expect([...s3.accessKeys]).toEqual(['the-key']);
});

test('a folder takes no key that leads out of it', async () => {
  const storage = new FolderStorage(join(folder, 'kept'));
  await expect(storage.open('../secret')).rejects.toThrow('no key');
  await expect(storage.remove('a/b')).rejects.toThrow('no key');
  expect(await readdir(folder)).toContain('kept');
});
