import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What became of a file: enough to go on with it. */
export interface LedgerEntry {
  /** Of the file and the model: another one makes it another document. */
  fingerprint: string;
  /** Of its upload, so that one whose answer was lost is not repeated. */
  idempotencyKey: string;
  /** Undefined: its acceptance has not been heard of. */
  documentId?: string;
}

interface LedgerContent {
  url: string;
  /** Of the guest whose documents they are. */
  token?: string;
  files: Record<string, LedgerEntry>;
}

/** What earlier runs of the command have left in the folder of the results. */
export class Ledger {
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly path: string,
    private readonly content: LedgerContent,
  ) {}

  /** That of a folder; a new one where there is none, or it is of another server. @throws Error it is spoilt */
  static async open(folder: string, url: string): Promise<Ledger> {
    await mkdir(folder, { recursive: true });
    const path = join(folder, '.tokencast.json');
    const text = await readFile(path, 'utf8').catch(() => undefined);
    const kept = text === undefined ? undefined : read(path, text);
    return new Ledger(path, kept?.url === url ? kept : { url, files: {} });
  }

  get token(): string | undefined {
    return this.content.token;
  }

  keepToken(token: string): Promise<void> {
    this.content.token = token;
    return this.#write();
  }

  entry(name: string): LedgerEntry | undefined {
    return this.content.files[name];
  }

  keep(name: string, entry: LedgerEntry): Promise<void> {
    this.content.files[name] = entry;
    return this.#write();
  }

  /** Whole or not at all, one after the other. */
  #write(): Promise<void> {
    const written = this.#writing.then(async () => {
      const draft = `${this.path}.new`;
      await writeFile(draft, JSON.stringify(this.content, null, 2), { mode: 0o600 });
      await rename(draft, this.path);
    });
    // One that failed is its caller's to tell of, and keeps no later one from being tried.
    this.#writing = written.catch(() => undefined);
    return written;
  }
}

function read(path: string, text: string): LedgerContent {
  try {
    return JSON.parse(text) as LedgerContent;
  } catch (cause) {
    throw new Error(`${path} is not as an earlier run has left it: delete it to begin anew.`, { cause });
  }
}
