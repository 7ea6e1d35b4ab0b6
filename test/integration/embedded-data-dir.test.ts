import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { claimDataDir, readOrCreateSecret } from '../../src/embedded/data-dir.js';
import { temporaryDataDir } from '../support/temporary-data-dir.js';

let dataDir: string;

beforeEach(async () => {
  dataDir = await temporaryDataDir();
});

afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

describe('the claim on a data folder', () => {
  test('a second one is refused in one line, and succeeds after the release', async () => {
    const first = await claimDataDir(dataDir);
    await expect(claimDataDir(dataDir)).rejects.toThrow(
      /^The data folder .* is in use by another Tokencast \(process \d+\): stop that one, or set DATA_DIR[^\n]*$/,
    );
    await first.release();
    await (await claimDataDir(dataDir)).release();
  });

  test('of many at once one wins', async () => {
    const claims = await Promise.allSettled(Array.from({ length: 8 }, () => claimDataDir(dataDir)));
    const won = claims.filter((claim) => claim.status === 'fulfilled');
    expect(won).toHaveLength(1);
    await won[0]?.value.release();
  });

  test('the folder is made, with those above it', async () => {
    const inner = join(dataDir, 'a', 'b');
    const claim = await claimDataDir(inner);
    expect(claim.path).toBe(inner);
    expect((await stat(inner)).mode & 0o007).toBeLessThan(0o4);
    await claim.release();
  });

  test.each([
    ['a dead process', JSON.stringify({ pid: process.pid, port: 1, token: 'x' })],
    ['a write that was broken off', '{"pid":'],
  ])('a lock left by %s is taken over', async (_, content) => {
    await writeFile(join(dataDir, 'lock'), content);
    const claim = await claimDataDir(dataDir);
    await expect(claimDataDir(dataDir)).rejects.toThrow('in use');
    await claim.release();
  });

  test('a lock whose port belongs to another program by now is taken over', async () => {
    const stranger = createServer((socket) => socket.end('220 mail ready\r\n')).listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const { port } = stranger.address() as AddressInfo;
    await writeFile(join(dataDir, 'lock'), JSON.stringify({ pid: process.pid, port, token: 'x' }));
    await (await claimDataDir(dataDir)).release();
    stranger.close();
  });

  test('a path that is a file is refused with what to do', async () => {
    const file = join(dataDir, 'file');
    await writeFile(file, '');
    await expect(claimDataDir(file)).rejects.toThrow(/cannot be written .*: set DATA_DIR/);
  });
});

describe('secrets that are kept', () => {
  test('a secret is made once, and nobody else may read it', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => readOrCreateSecret(dataDir)));
    expect(new Set(made).size).toBe(1);
    expect(Buffer.byteLength(made[0] ?? '')).toBeGreaterThanOrEqual(32);
    const file = join(dataDir, 'auth-secret');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toBe(made[0]);
  });

  test('one that is too short is refused by its file', async () => {
    await mkdir(dataDir, { recursive: true });
    await writeFile(join(dataDir, 'auth-secret'), 'short');
    await chmod(join(dataDir, 'auth-secret'), 0o600);
    await expect(readOrCreateSecret(dataDir)).rejects.toThrow(
      /auth-secret holds fewer than 32 bytes: delete it/,
    );
  });
});
