import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const folder = new URL('../fixtures/', import.meta.url);

/** Where a file of test/fixtures is. Those that are no text are made by scripts/make-fixtures.ts. */
export const fixturePath = (name: string): string => fileURLToPath(new URL(name, folder));

/** A file of test/fixtures as a browser would send it. */
export const fixtureFile = async (name: string): Promise<File> =>
  new File([new Uint8Array(await readFile(fixturePath(name)))], name);
