import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiUsage, StreamPart } from '../src/domain/content.js';
import type { HtmlBlock } from '../src/domain/generation.js';
import { backoffMs } from '../src/lib/backoff.js';
import type { Logger } from '../src/lib/logger.js';
import type { RoomLog, UnloggedEvent } from '../src/redis/room-log.js';
import { transcriptOf } from '../src/redis/transcript.js';
import type { Room } from '../src/wire/room.js';
import { LogEncoder, type Encoded, type Pending } from './log-encoder.js';
import type { StopKind } from './stop.js';

export interface LogAppenderOptions {
  roomLog: RoomLog;
  room: Room;
  generationId: string;
  messageId: string;
  attempt: number;
  /** Asks Postgres whether this attempt may still write, after Redis has lost it. */
  confirm: () => Promise<'current' | 'cancelled' | 'fenced'>;
  /** The log says that this attempt must not go on. Called once. */
  onStop: (kind: Extract<StopKind, 'cancelled' | 'fenced'>) => void;
  log: Logger;
}

/**
 * Brings what one attempt has to say into the room log, append after append, whatever becomes of Redis.
 *
 * Invariants:
 * - Appends are numbered from 1; one whose answer did not come is sent again under its number (A2).
 * - What Redis has lost is put back from `written`, which is what has been acknowledged, before the next append.
 * - After `cancelled` or `fenced`, or once it is closed, nothing more is sent.
 */
export class LogAppender {
  #n = 0;
  #written = '';
  /** The rendered blocks that are in the log. */
  #rendered: HtmlBlock[] = [];
  readonly #encoder: LogEncoder;
  readonly #closed = new AbortController();
  #isClosed = false;

  constructor(private readonly options: LogAppenderOptions) {
    this.#encoder = new LogEncoder(options);
  }

  /** The transcript of what is in the log. */
  get written(): string {
    return this.#written;
  }

  /** Nothing more is sent. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Opens the generation for this attempt, as soon as Redis answers. Resolves with the transcript to go on from, or
   * undefined: another attempt has it.
   *
   * @param fallback what Postgres has of earlier attempts, for the case that Redis has nothing
   */
  async open(
    fallback: { parts: readonly StreamPart[]; usage: ApiUsage | null },
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { roomLog, room, generationId, attempt } = this.options;
    const result = await this.#retry(
      () => roomLog.open(room, generationId, attempt, { mode: 'takeOver' }),
      signal,
    );
    if (result.status === 'fenced') {
      this.#stop('fenced');
      return undefined;
    }
    this.#written = result.transcript;
    if (this.#written === '' && (fallback.usage || fallback.parts.length > 0)) {
      this.#written = transcriptOf(fallback.parts, fallback.usage);
      await this.#retry(() => this.#reopen(), signal);
    }
    return this.isClosed ? undefined : this.#written;
  }

  /** The rendered blocks that earlier attempts have told of as done. */
  async readRendered(signal: AbortSignal): Promise<readonly HtmlBlock[]> {
    const { roomLog, room, generationId } = this.options;
    const told = await this.#retry(() => roomLog.html(room, generationId), signal);
    this.#rendered = told.filter(({ done }) => done);
    return this.#rendered;
  }

  /**
   * Resolves when it is in the log, or may not be; fails once this is closed. Not before the one before has resolved.
   *
   * @param beside goes with it and is kept nowhere
   */
  async append(batch: readonly Pending[], beside?: UnloggedEvent): Promise<void> {
    const encoded = this.#encoder.encode(batch);
    if (beside) encoded.unlogged.push(beside);
    if (encoded.entries.length > 0 || encoded.transcript !== '') await this.#appendEncoded(encoded);
    else if (!this.isClosed) for (const event of encoded.unlogged) this.whisper(event);
  }

  /** Tells something that is kept nowhere. Best effort: the next one tells more. */
  whisper(event: UnloggedEvent): void {
    const { roomLog, room } = this.options;
    roomLog.whisper(room, event.type, event).catch(() => undefined);
  }

  /** Shows a block that is being written. */
  draw(block: HtmlBlock): void {
    const { roomLog, room, generationId, attempt } = this.options;
    const event = { type: 'generation.html', room, at: new Date().toISOString(), generationId, ...block };
    // Best effort: the next one shows more.
    roomLog.draw(room, { generationId, attempt }, block, event).catch(() => undefined);
  }

  close(): void {
    this.#isClosed = true;
    this.#closed.abort();
  }

  async #appendEncoded(encoded: Encoded): Promise<void> {
    const { roomLog, room, generationId, attempt } = this.options;
    const n = this.#n + 1;
    const result = await this.#retry(async () => {
      const answer = await roomLog.append({ room, generationId, attempt, n, ...encoded });
      if (answer !== 'lost') return answer;
      const standing = await this.options.confirm();
      if (standing !== 'current') return standing;
      await this.#reopen();
      throw new Error('Redis had lost the generation');
    }, this.#closed.signal);
    if (result !== 'ok') {
      this.#stop(result);
      return;
    }
    this.#n = n;
    this.#written = encoded.anew ? encoded.transcript : this.#written + encoded.transcript;
    if (encoded.anew) this.#rendered = [];
    this.#rendered.push(...encoded.html);
  }

  /** Puts back what was written, and makes every reader resynchronise (O3). */
  async #reopen(): Promise<void> {
    const { roomLog, room, generationId, attempt } = this.options;
    const how = { mode: 'replace', n: this.#n, transcript: this.#written, html: this.#rendered } as const;
    const { status } = await roomLog.open(room, generationId, attempt, how);
    if (status === 'fenced') this.#stop('fenced');
  }

  /** Repeats until it succeeds, at most a second apart. */
  async #retry<T>(action: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let failures = 0; ; failures += 1) {
      try {
        return await action();
      } catch (error) {
        signal.throwIfAborted();
        this.options.log.debug({ reason: String(error), failures }, 'the room log cannot be written');
        await sleep(backoffMs(failures, { baseMs: 20, maxMs: 1000 }), undefined, { signal });
      }
    }
  }

  #stop(kind: Extract<StopKind, 'cancelled' | 'fenced'>): void {
    if (this.isClosed) return;
    this.close();
    this.options.onStop(kind);
  }
}
