import { textOf, type Chunk } from '../../../src/domain/content.js';
import { ContentAccumulator } from '../../../src/domain/content-accumulator.js';
import type { RoomLog } from '../../../src/redis/room-log.js';
import { readTranscript } from '../../../src/redis/transcript.js';

interface Entry {
  cursor: string;
  prev: string;
  type: string;
  data: string;
}

interface GenerationKeys {
  attempt: number;
  n: number;
  ended: boolean;
}

/** A connection to the log, on which everything takes its time and may fail, before or behind what it does. */
export type Call = <T>(action: () => T) => Promise<T>;

export const generationId = 'g';

/**
 * What Redis holds of one room with one generation, with the semantics of `lua/*.lua` (the letters are the invariants
 * named there), and what Postgres holds of it.
 */
export class ModelLog {
  entries: Entry[] = [];
  /** The text that a client at this cursor must have, for every entry that ever was. */
  readonly textAt = new Map<string, string>();
  /** The record: decides who may write, and what is true in the end. */
  readonly postgres = { attempt: 0, ended: false, text: '', outbox: false };
  #last: string | undefined;
  #outbox = 0;
  #generation: GenerationKeys | undefined;
  #transcript: string | undefined;
  #live = false;
  #ms = 1000;
  #newestMs = 0;
  #given = 0;

  constructor(private readonly publish: (message: string) => void) {}

  get last(): string | undefined {
    return this.#last;
  }

  /** All keys are gone. `clockBack`: the new Redis has another clock, and its ids begin lower. */
  wipe(clockBack: boolean): void {
    this.entries = [];
    this.#last = undefined;
    this.#outbox = 0;
    this.#generation = undefined;
    this.#transcript = undefined;
    this.#live = false;
    this.#newestMs = 0;
    if (clockBack) this.#ms -= 500;
  }

  /** Only the newest entries stay. */
  trim(length: number): void {
    this.entries = this.entries.slice(-length);
  }

  /** The log over a connection; only what readers and writers use. */
  connect(call: Call): RoomLog {
    const log: Partial<RoomLog> = {
      read: (_room, after, limit) => call(() => this.#read(after, limit)),
      look: () => call(() => this.#look()),
      open: (_room, _id, attempt, how) => call(() => this.#open(attempt, how)),
      append: (request) => call(() => this.#append(request)),
      tell: (_room, events) =>
        call(() => {
          for (const event of events) this.#tell(event);
        }),
    };
    return log as RoomLog;
  }

  /** The text that the transcript holds; undefined: there is none. */
  get liveText(): string | undefined {
    return this.#transcript === undefined ? undefined : textOfTranscript(this.#transcript);
  }

  #read(...[after, limit]: [string, number]) {
    const last = this.#last;
    if (last === undefined || this.entries.length === 0) return undefined;
    if (after === last) return { last, entries: [] };
    const at = this.entries.findIndex(({ cursor }) => cursor === after);
    const entries = this.entries.slice(at + 1, at + 1 + limit);
    if (at < 0 || entries[0]?.prev !== after) return undefined; // R1
    return { last, entries };
  }

  #look() {
    const transcripts = new Map<string, string>();
    if (this.#live) transcripts.set(generationId, this.#transcript ?? '');
    return { cursor: this.#ensure(), transcripts };
  }

  #open(attempt: number, how: Parameters<RoomLog['open']>[3]): Awaited<ReturnType<RoomLog['open']>> {
    const known = this.#generation;
    if (known && (known.ended || known.attempt > attempt)) return { status: 'fenced' }; // O1
    if (how.mode === 'replace') {
      this.#transcript = how.transcript; // O3
      this.entries = [];
    } else {
      this.#transcript ??= ''; // O2
    }
    this.#generation = { attempt, n: how.mode === 'replace' ? how.n : 0, ended: false };
    this.#live = true;
    this.#ensure();
    return { status: 'ok', transcript: this.#transcript };
  }

  #append({ attempt, n, entries, transcript, anew }: Parameters<RoomLog['append']>[0]) {
    const state = this.#generation;
    if (state?.ended) return 'fenced'; // A1
    if (!state || state.attempt < attempt) return 'lost';
    if (state.attempt > attempt) return 'fenced';
    if (n <= state.n) return 'ok'; // A2
    if (n > state.n + 1) return 'lost';
    this.#ensure();
    for (const { type, data } of entries) this.#push(type, data);
    state.n = n;
    this.#transcript = anew ? transcript : (this.#transcript ?? '') + transcript;
    // A4
    if (!this.postgres.ended && this.liveText !== this.textAt.get(this.#last ?? ''))
      throw new Error(`the transcript is not what the log says: ${String(this.liveText)}`);
    return 'ok';
  }

  #tell({ outboxId, type, data, ends }: Parameters<RoomLog['tell']>[1][number]): void {
    this.#ensure();
    if (outboxId > this.#outbox) this.#push(type, data); // T1
    this.#outbox = Math.max(this.#outbox, outboxId);
    if (ends === null) return;
    this.#generation = { attempt: 0, n: 0, ...this.#generation, ended: true }; // T2
    this.#transcript = undefined;
    this.#live = false;
  }

  #ensure(): string {
    if (this.#last !== undefined && this.entries.length > 0) return this.#last;
    this.entries = [];
    return this.#push('origin', '{}'); // L3
  }

  #push(type: string, data: string): string {
    const prev = type === 'origin' ? '' : (this.#last ?? '');
    // L4, L6: ids increase within a life of the log, and none is given twice.
    this.#newestMs = Math.max((this.#ms += 1), this.#newestMs + 1);
    const cursor = `${this.#newestMs}-${(this.#given += 1)}`;
    this.textAt.set(cursor, this.#textBehind(prev, type, data));
    this.entries.push({ cursor, prev, type, data });
    this.#last = cursor;
    this.publish(`${prev} ${cursor} ${type} ${data}`);
    return cursor;
  }

  #textBehind(prev: string, type: string, data: string): string {
    switch (type) {
      case 'origin':
        return this.#live ? (this.liveText ?? '') : this.postgres.ended ? this.postgres.text : '';
      case 'generation.reset':
        return '';
      case 'generation.completed':
        return this.postgres.text;
      default:
        return (this.textAt.get(prev) ?? '') + deltaIn(data);
    }
  }
}

/** The text that a logged chunk adds. */
export function deltaIn(data: string): string {
  const { chunk } = JSON.parse(data) as { chunk: Chunk };
  return chunk.type === 'content_block_delta' && chunk.delta.type === 'text_delta' ? chunk.delta.text : '';
}

export function textOfTranscript(transcript: string): string {
  const accumulator = new ContentAccumulator();
  for (const chunk of readTranscript(transcript).parts) accumulator.apply(chunk);
  return textOf(accumulator.content);
}
