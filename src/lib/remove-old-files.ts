import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes the files of a folder that nobody has written to for so long. A folder that is not there has none. */
export async function removeOldFiles(folder: string, olderThanMs: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    const modified = await stat(path).catch(() => undefined);
    if (modified && Date.now() - modified.mtimeMs > olderThanMs) await rm(path, { force: true });
  }
}
