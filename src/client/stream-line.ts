import { createParser } from 'eventsource-parser';
import { noCursor, type Cursor } from '../wire/cursor.js';
import type { AnySnapshot, RoomEventWith } from '../wire/room-events.js';
import { problemOf } from './http-transport.js';
import { isFinal, type Joined, type Line, type LineListener } from './line.js';
import { TokencastError } from './tokencast-error.js';

interface StreamLineOptions {
  /** Address of the event stream, without a cursor. */
  url: string;
  getToken: () => string | null;
  fetch: typeof fetch;
  /** A stream that has brought nothing for so long, not even the comment that it begins with, is held back on its way. */
  firstByteMs: number;
}

/** The server gives a sign of life every 15 s. */
const silentMs = 40_000;

/** A room over Server-Sent Events. With `fetch`, since an `EventSource` sends no token and tells no bytes. */
export class StreamLine<Snapshot extends AnySnapshot> implements Line {
  readonly transport = 'sse';
  #request = new AbortController();
  #over = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #opened = false;
  #joined = false;

  constructor(
    private readonly options: StreamLineOptions,
    private readonly listener: LineListener<Snapshot>,
  ) {
    const after = listener.after();
    void this.#run(after === noCursor ? undefined : after);
  }

  /** A stream without a cursor begins with a snapshot. */
  refresh(): void {
    if (!this.#over) void this.#run(undefined);
  }

  /** Whoever listens is not heard. */
  setTyping(): void {
    // There is no request for it.
  }

  /** The server ends the stream with its token; the next one has the fresh one. */
  authenticate(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#request.abort();
  }

  /** Reads the stream to its end, in place of the one that is read now. */
  async #run(after: Cursor | undefined): Promise<void> {
    this.#request.abort();
    const { signal } = (this.#request = new AbortController());
    this.#bound(this.options.firstByteMs, 'Nothing came of the stream.');
    try {
      const response = await this.#ask(after, signal);
      if (signal.aborted) return;
      // There is nothing behind the cursor, and there will be nothing: who names none is told how it stands.
      if (response.status === 204) void this.#run(undefined);
      else if (!response.ok) this.#refuse(await problemOf(response), isOurs(response));
      else if (!isEventStream(response) || !response.body) this.#lost('No event stream was answered.', true);
      else {
        const isAtEnd = await this.#read(response.body.getReader(), after, signal);
        if (isAtEnd) this.#lost('The stream was closed.', false);
      }
    } catch (error) {
      if (!signal.aborted) this.#lost('The server cannot be reached.', false, error);
    }
  }

  #ask(after: Cursor | undefined, signal: AbortSignal): Promise<Response> {
    const { url, getToken, fetch } = this.options;
    const token = getToken();
    const cursor = after === undefined ? '' : `${url.includes('?') ? '&' : '?'}after=${after}`;
    return fetch(url + cursor, {
      headers: { accept: 'text/event-stream', ...(token !== null && { authorization: `Bearer ${token}` }) },
      cache: 'no-store',
      signal,
    });
  }

  /** Resolves with whether it has come to its end; else it is read no more. */
  async #read(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    after: Cursor | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const decoder = new TextDecoder();
    const parser = createParser({
      onEvent: ({ id, data }) => {
        if (!signal.aborted) this.#receive(JSON.parse(data) as RoomEventWith<Snapshot>, id);
      },
    });
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return !signal.aborted;
      this.#bound(silentMs, 'The stream fell silent.');
      if (!this.#opened) {
        this.#opened = true;
        this.listener.opened();
        if (after !== undefined) this.#join({ resumed: true, cursor: after });
      }
      parser.feed(decoder.decode(value, { stream: true }));
    }
  }

  #receive(event: RoomEventWith<Snapshot>, id = noCursor): void {
    if (event.type === 'snapshot' && !this.#joined)
      this.#join({ resumed: false, cursor: event.cursor ?? id, snapshot: event.snapshot });
    else this.listener.received(event);
  }

  #join(joined: Joined<Snapshot>): void {
    this.#joined = true;
    this.listener.joined(joined);
  }

  #bound(ms: number, why: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#lost(why, !this.#opened);
    }, ms);
  }

  /** A proxy's own page says nothing of the room, only that this way is not to be had. */
  #refuse(problem: TokencastError, isOurs: boolean): void {
    if (this.#over) return;
    if (isOurs && isFinal(problem.code)) {
      this.close();
      this.listener.refused(problem);
    } else this.#lost(problem.detail, !isOurs && problem.status < 500, problem);
  }

  #lost(why: string, isBlocked: boolean, cause?: unknown): void {
    if (this.#over) return;
    this.close();
    this.listener.lost(new TokencastError('unreachable', why, { cause }), isBlocked);
  }
}

const typeOf = ({ headers }: Response): string => headers.get('content-type') ?? '';
const isEventStream = (response: Response): boolean => /^text\/event-stream\b/.test(typeOf(response));
const isOurs = (response: Response): boolean => typeOf(response).startsWith('application/problem+json');
