import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { FileStorage } from './file-storage.js';

/** Keeps files in a folder. Local files have to be on the same volume. */
export class FolderStorage implements FileStorage {
  constructor(private readonly folder: string) {}

  async save(key: string, path: string): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await rename(path, this.#path(key));
  }

  async open(key: string): Promise<Readable | undefined> {
    try {
      return (await open(this.#path(key))).createReadStream();
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async remove(key: string): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  close(): void {
    // Nothing is held.
  }

  #path(key: string): string {
    if (!/^[\w-]+$/.test(key)) throw new Error('no key of a file');
    return join(this.folder, key);
  }
}
