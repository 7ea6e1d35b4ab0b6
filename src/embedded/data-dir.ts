import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { StartError } from '../lib/start-error.js';

/** A data folder that is ours until `release`. */
export interface DataDir {
  /** Absolute. */
  path: string;
  release(): Promise<void>;
}

/** What the lock file says: where its owner answers, and with what. */
interface Lock {
  pid: number;
  port: number;
  token: string;
}

/** How long an owner may take to answer, in milliseconds. */
const answerTimeoutMs = 2000;

/**
 * Makes the folder and claims it for this process.
 *
 * The owner answers on a loopback port that the lock file names. Unlike a process id, which may be given anew, a
 * listening socket cannot outlive its process, so a lock left by `kill -9` is known at once.
 *
 * @throws {StartError} if another process holds the folder, or it cannot be written.
 */
export async function claimDataDir(dataDir: string): Promise<DataDir> {
  const path = resolve(dataDir);
  try {
    // The embedded Postgres of a root user is run by another, who must be able to pass.
    await mkdir(path, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  } catch (error) {
    throw notWritable(path, error);
  }

  const token = randomUUID();
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(token);
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');

  const file = join(path, 'lock');
  const lock: Lock = { pid: process.pid, port: (server.address() as AddressInfo).port, token };
  try {
    while (!(await createWhole(file, JSON.stringify(lock), path))) {
      const holder = await readLock(file);
      if (holder && (await isAlive(holder))) {
        throw new StartError(
          `The data folder ${path} is in use by another Tokencast (process ${holder.pid}): stop that one, or set DATA_DIR to another folder`,
        );
      }
      await removeStale(file, holder);
    }
  } catch (error) {
    server.close();
    throw error;
  }
  return {
    path,
    async release() {
      if ((await readLock(file))?.token === token) await rm(file, { force: true });
      server.close();
    },
  };
}

/**
 * The secret that is kept in this file of the folder; made at the first call (48 random bytes as base64url, mode 0600).
 *
 * @throws {StartError} if the file holds fewer than 32 bytes.
 */
export async function readOrCreateSecret(dataDir: string, name = 'auth-secret'): Promise<string> {
  const file = join(dataDir, name);
  await createWhole(file, randomBytes(48).toString('base64url'), dataDir);
  const secret = (await readFile(file, 'utf8')).trim();
  if (Buffer.byteLength(secret) < 32) {
    throw new StartError(
      `${file} holds fewer than 32 bytes: delete it, and a new secret is made at the next start`,
    );
  }
  return secret;
}

/** Creates a file that is there with all its content or not at all. False: there is one of this name already. */
async function createWhole(file: string, content: string, dataDir: string): Promise<boolean> {
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, content, { mode: 0o600, flag: 'wx' });
    await link(draft, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw notWritable(dataDir, error);
  } finally {
    await rm(draft, { force: true });
  }
}

const notWritable = (path: string, error: unknown) =>
  new StartError(
    `The data folder ${path} cannot be written (${error instanceof Error ? error.message : String(error)}): set DATA_DIR to one that can`,
    { cause: error },
  );

async function readLock(file: string): Promise<Lock | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Lock;
  } catch {
    return undefined;
  }
}

/** Takes away a lock whose owner is dead, unless another start has replaced it meanwhile. */
async function removeStale(file: string, judged: Lock | undefined): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  if ((await readLock(aside))?.token !== judged?.token) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

/** Whether the lock's owner answers. One that takes connections but is too busy to answer lives. */
async function isAlive({ port, token }: Lock): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(answerTimeoutMs) });
  } catch {
    socket.destroy();
    return false;
  }
  let answer = '';
  socket.setEncoding('utf8').setTimeout(answerTimeoutMs, () => socket.destroy());
  try {
    for await (const part of socket) answer += String(part);
  } catch {
    // Silence to the end of the time: judged by what has come.
  }
  return answer === token || answer === '';
}
