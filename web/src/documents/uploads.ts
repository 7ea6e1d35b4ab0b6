import { v4 as uuid } from 'uuid';
import { TokencastError, type Document, type UploadProgress } from '../../../src/client/index.js';
import { Store } from '../lib/store.js';
import { refusalOf, unreadable, type Refusal } from './refusal.js';

/** A file on its way. */
export interface Upload {
  /** Also its idempotency key: sending again after a broken answer makes no second document. */
  id: string;
  file: File;
  state:
    | { kind: 'waiting' }
    | { kind: 'sending'; sentBytes: number }
    /** All of it is sent; the server reads it before it is accepted. */
    | { kind: 'reading' }
    /** Until the list has it. */
    | { kind: 'accepted'; document: Document }
    | ({ kind: 'refused' } & Refusal);
}

type Send = (
  file: File,
  options: { id: string; signal: AbortSignal; onProgress: (progress: UploadProgress) => void },
) => Promise<Document>;

interface UploadsOptions {
  send: Send;
  /** Hears of every refusal, beside the upload's own state. */
  onError?: (error: unknown) => void;
}

/** More at once only share the same line. */
const atOnce = 2;

/** The files that are being uploaded, in the order they were given. Watched through `useSyncExternalStore`. */
export class Uploads {
  readonly #list = new Store<readonly Upload[]>([]);
  readonly #running = new Map<string, AbortController>();

  constructor(private readonly options: UploadsOptions) {}

  readonly get = (): readonly Upload[] => this.#list.get();
  readonly subscribe = (listener: () => void): (() => void) => this.#list.subscribe(listener);

  add(files: readonly File[]): void {
    const added = files.map((file): Upload => ({ id: uuid(), file, state: { kind: 'waiting' } }));
    this.#list.set([...this.get(), ...added]);
    this.#next();
  }

  /** Takes one away, whatever it is at: what is being sent is broken off. */
  remove(id: string): void {
    this.#running.get(id)?.abort();
    this.#list.set(this.get().filter((upload) => upload.id !== id));
  }

  retry(id: string): void {
    this.#put(id, { kind: 'waiting' });
    this.#next();
  }

  /** Lets go of the accepted ones that the list has by now. */
  settle(documentIds: ReadonlySet<string>): void {
    const left = this.get().filter(
      ({ state }) => state.kind !== 'accepted' || !documentIds.has(state.document.id),
    );
    if (left.length < this.get().length) this.#list.set(left);
  }

  #next(): void {
    for (const upload of this.get()) {
      if (this.#running.size >= atOnce) return;
      if (upload.state.kind === 'waiting' && !this.#running.has(upload.id)) void this.#run(upload);
    }
  }

  async #run({ id, file }: Upload): Promise<void> {
    const aborting = new AbortController();
    this.#running.set(id, aborting);
    this.#put(id, { kind: 'sending', sentBytes: 0 });
    try {
      if (!(await isReadable(file))) throw unreadable;
      const document = await this.options.send(file, {
        id,
        signal: aborting.signal,
        onProgress: ({ sentBytes, totalBytes }) => {
          const isSent = sentBytes >= totalBytes;
          // The body is a little longer than the file.
          const ofFile = Math.min(sentBytes, file.size);
          this.#put(id, isSent ? { kind: 'reading' } : { kind: 'sending', sentBytes: ofFile });
        },
      });
      this.#put(id, { kind: 'accepted', document });
    } catch (error) {
      if (!aborting.signal.aborted) {
        if (error instanceof TokencastError) this.options.onError?.(error);
        this.#put(id, { kind: 'refused', ...refusalOf(error, file) });
      }
    } finally {
      this.#running.delete(id);
      this.#next();
    }
  }

  #put(id: string, state: Upload['state']): void {
    this.#list.set(this.get().map((upload) => (upload.id === id ? { ...upload, state } : upload)));
  }
}

/** Folders are dropped as files, too, and files may go before they are sent. */
const isReadable = (file: File): Promise<boolean> =>
  file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );
