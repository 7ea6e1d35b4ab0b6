import type { Readable } from 'node:stream';

/** Where uploaded files are kept, under keys of letters, digits and dashes. */
export interface FileStorage {
  /** Keeps a local file under a key, and takes it from where it was. Resolves when it is kept. */
  save(key: string, path: string): Promise<void>;
  /** What was kept; undefined: nothing is there. */
  open(key: string): Promise<Readable | undefined>;
  /** Does nothing where nothing is there. */
  remove(key: string): Promise<void>;
  close(): void;
}
