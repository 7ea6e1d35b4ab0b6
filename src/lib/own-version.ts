import { readFile } from 'node:fs/promises';

/** The version of this program, as its package.json says; `unknown` where there is none. */
export async function ownVersion(): Promise<string> {
  // From the sources, and from what is built of them.
  for (const path of ['../../package.json', '../../../package.json'])
    try {
      const { version } = JSON.parse(await readFile(new URL(path, import.meta.url), 'utf8')) as {
        version: string;
      };
      return version;
    } catch {
      // It is further up.
    }
  return 'unknown';
}
