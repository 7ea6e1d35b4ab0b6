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
import type { GenerationOptions } from '../src/domain/generation.js';
import { settledWithin } from '../src/lib/settled-within.js';
import type { UnloggedEvent } from '../src/redis/room-log.js';
import { readTranscript } from '../src/redis/transcript.js';
import type { RoomEventPayloads } from '../src/wire/room-events.js';
import { Beside } from './beside.js';
import { FlushShaper, type ShapedChunk } from './flush-shaper.js';
import { HtmlStream } from './html-stream.js';
import { LogAppender, type LogAppenderOptions } from './log-appender.js';
import type { Note, Pending } from './log-encoder.js';
import type { OutputObject } from './structured-output.js';

interface LogWriterOptions extends LogAppenderOptions {
  /** How text is joined; by time with 0 ms: what arrives while the last append is in flight goes with the next. */
  flush: NonNullable<GenerationOptions['flush']>;
  render: GenerationOptions['render'];
  /** Called with how long the oldest of what an append has told has waited for it, in ms. */
  onAppended?: ((ms: number) => void) | undefined;
}

/** Most text that waits for Redis, in UTF-16 code units; past it the reader of the model waits. */
const maxPending = 1_000_000;

/**
 * Writes one attempt's stream into the room log: takes it as it comes, never making the reader of the model wait for
 * Redis, and joins what may be told together.
 *
 * Invariants:
 * - One append is in flight; what comes meanwhile goes with the next, neighbouring deltas joined.
 * - What was written is sent in its order, or nothing more is.
 */
export class LogWriter {
  #pending: Pending[] = [];
  #pendingLength = 0;
  /** When the oldest of what waits came, by `performance.now()`; 0: nothing waits. */
  #oldest = 0;
  readonly #appender: LogAppender;
  #open = false;
  #sentText = false;
  #flushing = false;
  #hurry: (() => void) | undefined;
  readonly #beside = new Beside((event) => {
    this.#appender.whisper(event);
  });
  #waiting: (() => void)[] = [];
  readonly #shaper: FlushShaper;
  readonly #html: HtmlStream | undefined;

  constructor(private readonly options: LogWriterOptions) {
    this.#appender = new LogAppender({
      ...options,
      onStop: (kind) => {
        this.close();
        options.onStop(kind);
      },
    });
    this.#shaper = new FlushShaper(options.flush);
    if (options.render === 'html')
      this.#html = new HtmlStream({
        done: (block) => {
          this.#push({ kind: 'html', block });
        },
        draw: (block) => {
          this.#appender.draw(block);
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
    const written = await this.#appender.open(fallback, signal);
    if (written === undefined) return undefined;
    // The first attempt may have written before this, and has nothing to go on from.
    if (this.options.attempt > 1) await this.#resume(written, signal);
    this.#open = true;
    this.#kick();
    this.#html?.start();
    return written;
  }

  /** Lets what shapes and renders the text go on behind what earlier attempts have sent. */
  async #resume(written: string, signal: AbortSignal): Promise<void> {
    if (!this.#shaper.active && !this.#html) return;
    const { parts } = readTranscript(written);
    this.#shaper.resume(parts);
    this.#html?.resume(parts, await this.#appender.readRendered(signal));
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
          last.chunk = { type: 'content_block_delta', index: chunk.index, delta };
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

  /** Tells something that is kept nowhere; the newest of it counts. */
  tell(event: UnloggedEvent): void {
    if (!this.#appender.isClosed) this.#beside.put(event);
  }

  /** The answer has ended: what waits to be joined, and what is not rendered yet, is written. */
  end(): void {
    this.#sendRest();
    this.#html?.end();
  }

  /** Redis is far behind the model: its reader waits with `whenRoom`. */
  get full(): boolean {
    return this.#pendingLength >= maxPending && !this.#appender.isClosed;
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
    return settledWithin(this.#whenAllSent(), timeoutMs);
  }

  /** The transcript of what is in the log. */
  get written(): string {
    return this.#appender.written;
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
    await settledWithin(this.#whenAllSent({ hurry: true }), timeoutMs);
  }

  /** Resolves when all is in the log, or nothing more will be. `hurry`: nothing waits to be joined. */
  async #whenAllSent({ hurry = false } = {}): Promise<void> {
    while ((this.#pending.length > 0 || this.#flushing) && !this.#appender.isClosed) {
      if (hurry) this.#hurry?.();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Sends nothing more, but for the last look of a block that stays as it is. */
  close(): void {
    this.#html?.leave();
    this.#beside.take();
    this.#appender.close();
    this.#hurry?.();
    this.#wake();
  }

  #push(item: Pending): void {
    this.#pending.push(item);
    this.#hurry?.();
    this.#kick();
  }

  #kick(): void {
    if (this.#pending.length === 1 && this.#oldest === 0) this.#oldest = performance.now();
    if (!this.#open || this.#flushing || this.#appender.isClosed || this.#pending.length === 0) return;
    this.#flushing = true;
    void this.#flush().finally(() => {
      this.#flushing = false;
      this.#wake();
      // What came behind the last look of `#flush` found it still at work.
      this.#kick();
    });
  }

  async #flush(): Promise<void> {
    while (this.#pending.length > 0 && !this.#appender.isClosed) {
      await this.#waitToJoin();
      const batch = this.#pending;
      const oldest = this.#oldest;
      this.#pending = [];
      this.#pendingLength = 0;
      this.#oldest = 0;
      try {
        await this.#appender.append(batch, this.#beside.take());
        if (oldest > 0) this.options.onAppended?.(performance.now() - oldest);
      } catch (error) {
        this.#fail(error);
        return;
      }
      this.#wake();
    }
  }

  /** Nothing may come behind a hole: the end tells all that the log does not. */
  #fail(error: unknown): void {
    if (this.#appender.isClosed) return;
    this.options.log.error({ err: error }, 'the log writer failed');
    this.close();
  }

  /** Lets text gather where that was asked for; the first text and everything else goes at once. */
  async #waitToJoin(): Promise<void> {
    const { flush } = this.options;
    if (flush.by !== 'time' || flush.ms === 0) return;
    const isText = (item: Pending) => item.kind === 'chunk' && item.chunk.type === 'content_block_delta';
    const isFirst = !this.#sentText;
    this.#sentText ||= this.#pending.some(isText);
    if (isFirst || !this.#pending.every(isText)) return;
    const leftMs = (this.#oldest || performance.now()) + flush.ms - performance.now();
    if (leftMs <= 0) return;
    const hurried = new AbortController();
    this.#hurry = () => {
      hurried.abort();
    };
    await sleep(leftMs, undefined, { signal: hurried.signal }).catch(() => undefined);
    this.#hurry = undefined;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
