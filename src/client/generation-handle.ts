import { hasEnded, type Generation, type GenerationHead } from '../domain/generation.js';
import { generationRoom } from '../wire/room.js';
import { Emitter } from './emitter.js';
import {
  generationModel,
  nothingKnown,
  withGeneration,
  writtenText,
  type FinishedGeneration,
  type GenerationRoomSnapshot,
  type GenerationState,
} from './generation-state.js';
import { TokencastHttp } from './http.js';
import type { Transport } from './line.js';
import type { GenerationHandleEvents, GenerationView } from './generation-view.js';
import { patiently } from './patiently.js';
import { RoomConnection } from './room-connection.js';
import type { RoomConnectionOptions } from './room-view.js';
import { TextHandlers, type TextHandler } from './text-handlers.js';
import { gaveUp, GenerationFailed, TokencastError } from './tokencast-error.js';

/** A generation to be watched: by its id alone, or as it was accepted, which saves a request. */
export type GenerationReference = string | Pick<Generation, 'id' | 'conversationId' | 'documentId'>;

type Connection = RoomConnection<GenerationState, GenerationRoomSnapshot>;

/**
 * One generation, watched from construction until it ends, over whatever transport works. Every way to read it tells
 * all of its text, also what was written before: the events, the handlers, the iterator (text by text), and `finished`.
 *
 * @typeParam Results what the handlers make, by their names
 */
export class GenerationHandle<Results extends object = object> implements AsyncIterable<string> {
  readonly id: string;
  readonly #http: TokencastHttp;
  readonly #events = new Emitter<GenerationHandleEvents>();
  readonly #handlers = new TextHandlers((name, error) => {
    this.#events.emit('handler-error', name, error);
  });
  readonly #listeners = new Set<() => void>();
  readonly #finished: Promise<FinishedGeneration>;
  #resolve: (finished: FinishedGeneration) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #connection: Connection | undefined;
  #view: GenerationView = {
    text: '',
    metadata: null,
    live: null,
    isComplete: false,
    error: null,
    connection: { state: 'connecting' },
    transport: null,
  };
  #seen: GenerationState | null = null;
  #restarts = 0;
  #isOver = false;

  constructor(
    generation: GenerationReference,
    private readonly options: RoomConnectionOptions,
  ) {
    const { url, getToken, fetch, signal } = options;
    this.id = typeof generation === 'string' ? generation : generation.id;
    this.#http = new TokencastHttp({
      ...(url !== undefined && { baseUrl: url }),
      getToken,
      ...(fetch && { fetch }),
    });
    this.#finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Who does not ask for it need not hear of its failure there.
    this.#finished.catch(() => undefined);
    signal?.addEventListener('abort', this.close);
    if (signal?.aborted) queueMicrotask(this.close);
    else if (typeof generation === 'string') void this.#find();
    else
      queueMicrotask(() => {
        this.#open(generation);
      });
  }

  /** All that is written so far. */
  get text(): string {
    return this.#view.text;
  }

  /** What is known of it beside its text: status, model, usage, cost, figures; null until something is. */
  get metadata(): GenerationHead | null {
    return this.#view.metadata;
  }

  /** Whether it has ended, however that was. */
  get isComplete(): boolean {
    return this.#view.isComplete;
  }

  /** How its text comes now; null while it does not. */
  get transport(): Transport | null {
    return this.#view.transport;
  }

  /** Resolves when it has completed or was cancelled. Rejects with what `error` tells, or the reason of the signal. */
  get finished(): Promise<FinishedGeneration> {
    return this.#finished;
  }

  /** What the handlers have made so far. */
  get results(): Readonly<Partial<Results>> {
    return this.#handlers.results as Partial<Results>;
  }

  /** Calls `listener` for every event of this name from now on. Returns the way out. */
  readonly on = <E extends keyof GenerationHandleEvents>(
    event: E,
    listener: (...told: GenerationHandleEvents[E]) => void,
  ): (() => void) => this.#events.on(event, listener);

  /**
   * Adds a handler of the text, which hears at once of what is written already. What it returns is its result, and
   * comes back to it with the next piece. One that throws disturbs no other: see the event `handler-error`.
   */
  addHandler<Name extends string, T>(
    name: Name,
    handler: TextHandler<T>,
  ): GenerationHandle<Results & Record<Name, T>> {
    this.#handlers.add(name, handler as TextHandler<unknown>, this.text);
    return this as unknown as GenerationHandle<Results & Record<Name, T>>;
  }

  removeHandler(name: string): void {
    this.#handlers.remove(name);
  }

  /** Calls `listener` after every change. Returns the way out. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getSnapshot = (): GenerationView => this.#view;

  /** Cancels the generation, for everyone. @throws TokencastError `generation_ended` */
  cancel(): Promise<Generation> {
    return this.#http.cancelGeneration(this.id);
  }

  /** Watches it no more; it runs on. */
  readonly close = (): void => {
    const { signal } = this.options;
    const reason: unknown = signal?.aborted ? signal.reason : undefined;
    this.#fail(reason instanceof Error ? reason : new DOMException('The watching was ended.', 'AbortError'));
  };

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    let told = 0;
    let restarts = this.#restarts;
    for (;;) {
      if (restarts !== this.#restarts) {
        restarts = this.#restarts;
        told = 0;
      }
      const delta = this.text.slice(told);
      told += delta.length;
      if (delta !== '') yield delta;
      else if (!this.#isOver) await this.#change();
      else if (this.#view.error) throw this.#view.error;
      else return;
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const leave = this.subscribe(() => {
        leave();
        resolve();
      });
    });
  }

  /** The room that it belongs to is not in its id. */
  async #find(): Promise<void> {
    const generation = await this.#get();
    if (!generation) return;
    if (hasEnded(generation.status)) this.#tell(withGeneration(nothingKnown, generation));
    else this.#open(generation);
  }

  /** The generation as it is now; fails the handle where that cannot be had. */
  async #get(): Promise<Generation | undefined> {
    const { maxRetries = Number.POSITIVE_INFINITY, retryDelayMs, signal } = this.options;
    try {
      const ask = () => this.#http.getGeneration(this.id, { ...(signal && { signal }) });
      return await patiently(ask, {
        maxTries: maxRetries + 1,
        ...(signal && { signal }),
        ...(retryDelayMs !== undefined && { firstDelayMs: retryDelayMs }),
      });
    } catch (error) {
      this.#fail(error instanceof TokencastError && error.retryable ? gaveUp(error) : asError(error));
      return undefined;
    }
  }

  #open(generation: Pick<Generation, 'conversationId' | 'documentId'>): void {
    if (this.#isOver) return;
    const { id } = this;
    const connection = new RoomConnection<GenerationState, GenerationRoomSnapshot>(
      {
        room: generationRoom(generation),
        eventsPath: `/v1/generations/${encodeURIComponent(id)}/events`,
        look: async (http, request) => ({ generation: await http.getGeneration(id, request) }),
      },
      generationModel(id),
      this.options,
    );
    this.#connection = connection;
    connection.subscribe(() => {
      this.#look(connection);
    });
    this.#look(connection);
  }

  #look(connection: Connection): void {
    const view = connection.getSnapshot();
    if (this.#isOver) return;
    if (view.connection !== this.#view.connection || view.transport !== this.#view.transport)
      this.#show({ connection: view.connection, transport: view.transport });
    const { room } = view;
    if (room && room !== this.#seen) {
      const isNowDoubtful = room.doubts !== (this.#seen?.doubts ?? 0);
      this.#tell(room);
      if (isNowDoubtful) void this.#makeSure(connection);
    }
    if (view.connection.state === 'closed' && view.connection.error) this.#fail(view.connection.error);
  }

  async #makeSure(connection: Connection): Promise<void> {
    const generation = await this.#get();
    if (generation && hasEnded(generation.status))
      connection.amend((state) => withGeneration(state, generation));
  }

  #tell(state: GenerationState): void {
    const isRestarted = state.restarts !== (this.#seen?.restarts ?? 0);
    this.#seen = state;
    const { head: metadata, live, finished } = state;
    if (isRestarted) this.#restart();
    if (metadata !== this.#view.metadata || live !== this.#view.live) this.#show({ metadata, live });
    this.#write(writtenText(state), finished !== null);
    if (!finished) return;
    if (finished.status === 'failed') this.#fail(new GenerationFailed(this.id, finished.error));
    else this.#complete(finished);
  }

  /** What is shorter than what was told is older, and not yet to be told of, unless it is the end. */
  #write(written: string, isFinal: boolean): void {
    const { text } = this.#view;
    if (written === text || (!isFinal && text.startsWith(written))) return;
    if (!written.startsWith(text)) this.#restart();
    const delta = written.slice(this.#view.text.length);
    this.#view = { ...this.#view, text: written };
    if (delta === '') return;
    this.#handlers.write(delta);
    this.#events.emit('text', delta, written);
    this.#notify();
  }

  #restart(): void {
    if (this.#view.text === '') return;
    this.#restarts += 1;
    this.#handlers.reset();
    this.#show({ text: '' });
    this.#events.emit('restart');
  }

  #complete(finished: FinishedGeneration): void {
    if (this.#isOver) return;
    this.#end({ isComplete: true });
    this.#resolve(finished);
    this.#events.emit('complete', finished);
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#end({ isComplete: error instanceof GenerationFailed, error });
    this.#reject(error);
    this.#events.emit('error', error);
  }

  #end(change: Partial<GenerationView>): void {
    this.#isOver = true;
    this.options.signal?.removeEventListener('abort', this.close);
    this.#connection?.close();
    this.#show({ ...change, connection: { state: 'closed', error: null }, transport: null });
  }

  #show(change: Partial<GenerationView>): void {
    this.#view = { ...this.#view, ...change };
    this.#notify();
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
