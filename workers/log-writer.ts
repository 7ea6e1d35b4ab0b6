import { setTimeout as sleep } from 'node:timers/promises';
import {
  deltaText,
  isChunk,
  joinDeltas,
  type ApiUsage,
  type Chunk,
  type StreamPart,
  type ToolResultBlock,
} from '../src/domain/content.js';
import type { GenerationOptions, HtmlBlock } from '../src/domain/generation.js';
import { backoffMs } from '../src/lib/backoff.js';
import type { Logger } from '../src/lib/logger.js';
import type { RoomLog } from '../src/redis/room-log.js';
import { readTranscript, transcriptOf } from '../src/redis/transcript.js';
import type { RoomEventPayloads } from '../src/wire/room-events.js';
import type { Room } from '../src/wire/room.js';
import { FlushShaper, type ShapedChunk } from './flush-shaper.js';
import { HtmlStream } from './html-stream.js';
import { LogEncoder, type Encoded, type Note, type Pending } from './log-encoder.js';
import type { StopKind } from './stop.js';
import type { OutputObject } from './structured-output.js';

interface LogWriterOptions {
  roomLog: RoomLog;
  room: Room;
  generationId: string;
  messageId: string;
  attempt: number;
  /** How text is joined; by time with 0 ms: what arrives while the last append is in flight goes with the next. */
  flush: NonNullable<GenerationOptions['flush']>;
  render: GenerationOptions['render'];
  /** Asks Postgres whether this attempt may still write, after Redis has lost it. */
  confirm: () => Promise<'current' | 'cancelled' | 'fenced'>;
  /** The log says that this attempt must not go on. Called once. */
  onStop: (kind: Extract<StopKind, 'cancelled' | 'fenced'>) => void;
  log: Logger;
}

/** Most text that waits for Redis, in UTF-16 code units; past it the reader of the model waits. */
const maxPending = 1_000_000;

/**
 * Writes one attempt's stream into the room log.
 *
 * Invariants:
 * - One append is in flight; what comes meanwhile goes with the next, neighbouring deltas joined.
 * - Appends are numbered from 1; one whose answer did not come is sent again under its number (A2).
 * - What Redis has lost is put back from `#written`, which is what has been acknowledged, before the next append.
 * - After `cancelled` or `fenced` nothing more is sent.
 */
export class LogWriter {
  #pending: Pending[] = [];
  #pendingLength = 0;
  #oldest = 0;
  #n = 0;
  #written = '';
  readonly #encoder: LogEncoder;
  #open = false;
  #sentText = false;
  #flushing = false;
  #stopped = false;
  #hurry: (() => void) | undefined;
  #waiting: (() => void)[] = [];
  readonly #shaper: FlushShaper;
  readonly #html: HtmlStream | undefined;
  /** The rendered blocks that are in the log. */
  #rendered: HtmlBlock[] = [];
  readonly #closed = new AbortController();

  constructor(private readonly options: LogWriterOptions) {
    this.#encoder = new LogEncoder(options);
    this.#shaper = new FlushShaper(options.flush);
    if (options.render === 'html')
      this.#html = new HtmlStream({
        done: (block) => {
          this.#push({ kind: 'html', block });
        },
        draw: (block) => {
          this.#draw(block);
        },
      });
  }

  /**
   * Opens the generation for this attempt, as soon as Redis answers. Resolves with the transcript to go on from, or
   * undefined: another attempt has it. Nothing is written before.
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
    // The first attempt may have written before this, and has nothing to go on from.
    if (attempt > 1) await this.#resume(signal);
    this.#open = true;
    this.#kick();
    this.#html?.start();
    return this.#written;
  }

  /** Lets what shapes and renders the text go on behind what earlier attempts have sent. */
  async #resume(signal: AbortSignal): Promise<void> {
    if (!this.#shaper.active && !this.#html) return;
    const { parts } = readTranscript(this.#written);
    this.#shaper.resume(parts);
    if (!this.#html) return;
    const { roomLog, room, generationId } = this.options;
    const told = await this.#retry(() => roomLog.html(room, generationId), signal);
    this.#rendered = told.filter(({ done }) => done);
    this.#html.resume(parts, this.#rendered);
  }

  /** Writes the next part of the stream. Chunks are told to everybody, the worker's notes to nobody. */
  write(part: Chunk | Note): void {
    if (isChunk(part)) {
      for (const shaped of this.#shaper.add(part)) this.#send(shaped);
      return;
    }
    this.#sendRest();
    this.#push({ kind: 'note', note: part });
  }

  #sendRest(): void {
    for (const shaped of this.#shaper.end()) this.#send(shaped);
  }

  #send({ chunk, sentenceIndex }: ShapedChunk): void {
    this.#html?.write(chunk);
    const last = this.#pending.at(-1);
    if (chunk.type === 'content_block_delta') {
      this.#pendingLength += deltaText(chunk.delta)?.length ?? 0;
      if (
        last?.kind === 'chunk' &&
        last.chunk.type === 'content_block_delta' &&
        last.chunk.index === chunk.index &&
        last.sentenceIndex === sentenceIndex
      ) {
        const delta = joinDeltas(last.chunk.delta, chunk.delta);
        if (delta) {
          last.chunk = { ...chunk, delta };
          this.#kick();
          return;
        }
      }
    }
    this.#push({ kind: 'chunk', chunk, sentenceIndex });
  }

  /** Writes what a tool of this name answered. */
  toolResult(name: string, result: ToolResultBlock): void {
    this.#sendRest();
    this.#push({ kind: 'toolResult', name, result });
  }

  /**
   * Tells a value of structured output, behind what was written before it: one that is complete behind all of its text.
   * One that is not logged is published alone.
   */
  object(object: OutputObject, { logged }: { logged: boolean }): void {
    if (object.complete) this.#sendRest();
    this.#push({ kind: 'object', object, logged });
  }

  /** Notes in the transcript alone that a call of the model begins, and what it reports to have used. */
  beginCall(): void {
    this.#push({ kind: 'call' });
  }

  reportUsage(usage: ApiUsage, final: boolean): void {
    this.#push({ kind: 'usage', usage, final });
  }

  warn(code: RoomEventPayloads['generation.warning']['code'], message: string): void {
    this.#push({ kind: 'event', type: 'generation.warning', payload: { code, message } });
  }

  /** Tells everybody to forget what was written: the answer starts over. */
  reset(reason: string): void {
    const { attempt } = this.options;
    this.#shaper.clear();
    this.#html?.reset();
    this.#push({ kind: 'event', type: 'generation.reset', payload: { attempt, reason } });
  }

  /** The answer has ended: what waits to be joined, and what is not rendered yet, is written. */
  end(): void {
    this.#sendRest();
    this.#html?.end();
  }

  /** Redis is far behind the model: its reader waits with `whenRoom`. */
  get full(): boolean {
    return this.#pendingLength >= maxPending && !this.#stopped;
  }

  /** Resolves when there is room, nothing more is written, or the signal fires. */
  async whenRoom(signal: AbortSignal): Promise<void> {
    const wake = () => {
      this.#wake();
    };
    signal.addEventListener('abort', wake);
    while (this.full && !signal.aborted) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    signal.removeEventListener('abort', wake);
  }

  /**
   * Waits until all that was written is in the log, so that what comes next is a piece of its own; at once where text is
   * to be joined by time. False: it takes longer than this.
   */
  async whenSent(timeoutMs: number): Promise<boolean> {
    const { flush } = this.options;
    if (flush.by === 'time' && flush.ms > 0) return true;
    const late = AbortSignal.timeout(timeoutMs);
    const wake = () => {
      this.#wake();
    };
    late.addEventListener('abort', wake);
    while ((this.#pending.length > 0 || this.#flushing) && !this.#stopped && !late.aborted)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    late.removeEventListener('abort', wake);
    return !late.aborted;
  }

  /** The transcript of what is in the log. */
  get written(): string {
    return this.#written;
  }

  /** Whether text may wait here by the request's wish, so that it is written but not in the log. */
  get joins(): boolean {
    const { flush } = this.options;
    return flush.by !== 'time' || flush.ms > 0;
  }

  /** Resolves when all is written, nothing may be, or the time is up; at once where the log is not open. */
  async drain(timeoutMs: number): Promise<void> {
    this.#sendRest();
    if (!this.#open) return;
    const settled = new AbortController();
    const written = async () => {
      while ((this.#pending.length > 0 || this.#flushing) && !this.#stopped) {
        this.#hurry?.();
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      settled.abort();
    };
    await Promise.race([
      written(),
      sleep(timeoutMs, undefined, { signal: settled.signal }).catch(() => undefined),
    ]);
  }

  /** Sends nothing more, but for the last look of a block that stays as it is. */
  close(): void {
    this.#html?.leave();
    this.#stopped = true;
    this.#closed.abort();
    this.#hurry?.();
    this.#wake();
  }

  #draw(block: HtmlBlock): void {
    const { roomLog, room, generationId, attempt } = this.options;
    const event = { type: 'generation.html', room, at: new Date().toISOString(), generationId, ...block };
    // Best effort: the next one shows more.
    roomLog.draw(room, { generationId, attempt }, block, event).catch(() => undefined);
  }

  #push(item: Pending): void {
    this.#pending.push(item);
    this.#hurry?.();
    this.#kick();
  }

  #kick(): void {
    if (this.#pending.length === 1 && this.#oldest === 0) this.#oldest = Date.now();
    if (!this.#open || this.#flushing || this.#stopped || this.#pending.length === 0) return;
    this.#flushing = true;
    void this.#flush().finally(() => {
      this.#flushing = false;
      this.#wake();
      // What came behind the last look of `#flush` found it still at work.
      this.#kick();
    });
  }

  async #flush(): Promise<void> {
    while (this.#pending.length > 0 && !this.#stopped) {
      await this.#waitToJoin();
      const batch = this.#pending;
      this.#pending = [];
      this.#pendingLength = 0;
      this.#oldest = 0;
      try {
        await this.#append(batch);
      } catch (error) {
        this.#reportFailure(error);
        return;
      }
      this.#wake();
    }
  }

  /** Lets text gather where that was asked for; the first text and everything else goes at once. */
  async #waitToJoin(): Promise<void> {
    const { flush } = this.options;
    if (flush.by !== 'time' || flush.ms === 0) return;
    const isText = (item: Pending) => item.kind === 'chunk' && item.chunk.type === 'content_block_delta';
    const isFirst = !this.#sentText;
    this.#sentText ||= this.#pending.some(isText);
    if (isFirst || !this.#pending.every(isText)) return;
    const leftMs = (this.#oldest || Date.now()) + flush.ms - Date.now();
    if (leftMs <= 0) return;
    const hurried = new AbortController();
    this.#hurry = () => {
      hurried.abort();
    };
    await sleep(leftMs, undefined, { signal: hurried.signal }).catch(() => undefined);
    this.#hurry = undefined;
  }

  async #append(batch: readonly Pending[]): Promise<void> {
    const { roomLog, room } = this.options;
    const { unlogged, ...encoded } = this.#encoder.encode(batch);
    if (encoded.entries.length > 0 || encoded.transcript !== '') await this.#appendEncoded(encoded);
    // Best effort: the next one tells more.
    if (!this.#stopped)
      for (const event of unlogged) roomLog.whisper(room, event.type, event).catch(() => undefined);
  }

  async #appendEncoded(encoded: Omit<Encoded, 'unlogged'>): Promise<void> {
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

  #reportFailure(error: unknown): void {
    if (!this.#stopped) this.options.log.error({ err: error }, 'the log writer failed');
  }

  #stop(kind: Extract<StopKind, 'cancelled' | 'fenced'>): void {
    if (this.#stopped) return;
    this.close();
    this.options.onStop(kind);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
