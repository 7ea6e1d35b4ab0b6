import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** The tokens of the guests that commands have been at servers, for the user of this machine alone. */

/** Tokens by server, and by the guest's name. */
type Kept = Record<string, Record<string, string>>;

const file = (): string =>
  join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'tokencast', 'guests.json');

/** A file that is not there, or spoilt, holds none: a guest is made anew. */
async function read(): Promise<Kept> {
  try {
    return JSON.parse(await readFile(file(), 'utf8')) as Kept;
  } catch {
    return {};
  }
}

export async function readGuestToken(url: string, name: string): Promise<string | undefined> {
  return (await read())[url]?.[name];
}

/** Whole or not at all. @throws Error the folder cannot be written */
export async function writeGuestToken(url: string, name: string, token: string): Promise<void> {
  const path = file();
  const kept = await read();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, JSON.stringify({ ...kept, [url]: { ...kept[url], [name]: token } }, null, 2), {
    mode: 0o600,
  });
  await rename(draft, path);
}
