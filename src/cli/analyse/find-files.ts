import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';

export interface FoundFile {
  path: string;
  /** What its results are called: its place below the path that was given. */
  name: string;
}

/**
 * The files of a list of files and folders, in order. Hidden ones are left out, and so is the folder of the results.
 *
 * @throws Error a path that is not there
 */
export async function findFiles(paths: readonly string[], out: string): Promise<FoundFile[]> {
  const files = new Map<string, FoundFile>();
  const add = (path: string, name: string) => {
    // Two folders may hold files of one name.
    const isTaken = [...files.values()].some((other) => other.name === name);
    if (!files.has(path)) files.set(path, { path, name: isTaken ? relative('/', path) : name });
  };
  for (const given of paths.map((path) => resolve(path))) {
    const found = await stat(given).catch(() => undefined);
    if (!found) throw new Error(`There is no ${given}.`);
    if (found.isDirectory())
      for (const path of await filesBelow(given, resolve(out))) add(path, relative(given, path));
    else add(given, basename(given));
  }
  return [...files.values()];
}

async function filesBelow(folder: string, out: string): Promise<string[]> {
  if (folder === out) return [];
  const entries = await readdir(folder, { withFileTypes: true });
  const paths: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) paths.push(...(await filesBelow(path, out)));
    else if (entry.isFile()) paths.push(path);
  }
  return paths;
}
