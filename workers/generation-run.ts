import { setTimeout as sleep } from 'node:timers/promises';
import { textOf } from '../src/domain/content.js';
import type { GenerationError, Usage } from '../src/domain/generation.js';
import { partsOf } from '../src/domain/parts-of.js';
import { backoffMs } from '../src/lib/backoff.js';
import { unlessAborted } from '../src/lib/unless-aborted.js';
import type { Logger } from '../src/lib/logger.js';
import { traceAttributes, traceEvent } from '../src/lib/tracing.js';
import { reasonOf } from '../src/lib/root-cause.js';
import { settledWithin } from '../src/lib/settled-within.js';
import { ProviderError, type Provider } from '../src/providers/provider.js';
import { readTranscript } from '../src/redis/transcript.js';
import { faultOfRun } from '../src/service/documents/fault-of-run.js';
import { confirmAttempt, endAttempt, handOverAttempt, type Attempt } from '../src/service/attempt.js';
import type { ServiceContext } from '../src/service/service-context.js';
import type { Outcome } from '../src/service/store-end.js';
import { placeOf } from '../src/service/generation-end.js';
import { asCall } from '../src/service/usage.js';
import { generationRoom, type Room } from '../src/wire/room.js';
import { CacheTurn } from './cache-turn.js';
import { Deadlines } from './deadlines.js';
import { LogWriter } from './log-writer.js';
import { ModelStream } from './model-stream.js';
import { ProgressReporter } from './progress-reporter.js';
import type { Entry, ProviderGate } from './provider-gate.js';
import { failureOf } from './run-failure.js';
import { Spending } from './spending.js';
import { Stop, stopOf, type StopKind } from './stop.js';
import { StreamState } from './stream-state.js';
import { StructuredOutput } from './structured-output.js';
import { ToolLoop } from './tool-loop.js';
import type { ToolRegistry } from './tools/tool-registry.js';
import type { WorkerMetrics } from './worker-metrics.js';

export interface RunSettings {
  defaultMaxTokens: number;
  timeoutMs: number;
  idleTimeoutMs: number;
  /** Where the request says nothing of the silence of the model; undefined: its first piece has the idle time. */
  firstTokenTimeoutMs: number | undefined;
  /** Whether users get the answers that others have had. */
  cacheShared: boolean;
  flushIntervalMs: number;
}

interface GenerationRunOptions {
  context: ServiceContext;
  provider: Provider;
  gate: ProviderGate;
  /** For its first request. */
  entry: Entry;
  attempt: Attempt;
  tools: ToolRegistry;
  settings: RunSettings;
  metrics?: WorkerMetrics | undefined;
}

/** `handedOver`: the job has to be given back, after `waitMs` where the provider asks to wait. */
export type RunResult = { kind: 'ended' } | { kind: 'handedOver'; waitMs: number | undefined };

/** Starts of a job that its provider may turn away with 429. */
const maxRateLimited = 5;
/** Values of structured output that are not complete are told at most ten times a second. */
const minObjectMs = 100;
/** How long the end waits for a Redis that is away; past it the terminal event's message tells what the log does not. */
const drainMs = 15_000;

/** One attempt of one generation: from the model's stream to the room log, and to its end. */
export class GenerationRun {
  private readonly context: ServiceContext;
  private readonly provider: Provider;
  private readonly attempt: Attempt;
  readonly #metrics: WorkerMetrics | undefined;
  readonly #controller = new AbortController();
  readonly #room: Room;
  readonly #writer: LogWriter;
  readonly #deadlines: Deadlines;
  readonly #log: Logger;
  readonly #stream: ModelStream;
  readonly #output: StructuredOutput | undefined;
  readonly #progress: ProgressReporter;
  readonly #cache?: CacheTurn;
  /** Ends the opening of the log: that outlives what ends the run, see {@link stop}. */
  readonly #opening = new AbortController();
  /** What earlier attempts have written; undefined: this one is fenced. */
  #opened: Promise<string | undefined> = Promise.resolve('');
  /** There is nothing that was written before, or it is known. */
  #tookOver: boolean;

  constructor({ context, provider, gate, entry, attempt, tools, settings, metrics }: GenerationRunOptions) {
    this.#metrics = metrics;
    this.context = context;
    this.provider = provider;
    this.attempt = attempt;
    const { generation } = attempt;
    this.#tookOver = generation.attempt === 1;
    const { id: generationId, messageId, options } = generation;
    this.#room = generationRoom(generation);
    this.#log = context.log.child({
      generationId,
      attempt: generation.attempt,
      ...placeOf(generation),
    });
    this.#writer = new LogWriter({
      roomLog: context.roomLog,
      room: this.#room,
      generationId,
      messageId,
      attempt: generation.attempt,
      render: options.render,
      flush: options.flush ?? { by: 'time', ms: settings.flushIntervalMs },
      onAppended: (ms) => metrics?.appended(ms),
      confirm: () => confirmAttempt(context, generation),
      onStop: (kind) => {
        this.stop(kind);
      },
      log: this.#log,
    });
    const begunAt = performance.now();
    this.#deadlines = new Deadlines({
      endsAt: (generation.startedAt ?? new Date()).getTime() + (options.timeoutMs ?? settings.timeoutMs),
      idleTimeoutMs: options.idleTimeoutMs ?? settings.idleTimeoutMs,
      // A request that names the idle time alone means it from the beginning.
      firstTokenTimeoutMs:
        options.firstTokenTimeoutMs ??
        (options.idleTimeoutMs === undefined ? settings.firstTokenTimeoutMs : undefined),
      abort: (stop) => {
        this.stop(stop.kind);
      },
    });
    this.#output = this.#createOutput(settings);
    if (options.cache)
      this.#cache = new CacheTurn({
        cache: context.answerCache,
        generationId,
        attempt: generation.attempt,
        log: this.#log,
      });
    this.#stream = new ModelStream({
      attempt,
      provider,
      gate,
      entry,
      writer: this.#writer,
      deadlines: this.#deadlines,
      output: this.#output,
      cache: this.#cache,
      cacheShared: settings.cacheShared,
      spending: new Spending({
        context,
        attempt,
        warn: (code, message) => {
          this.#writer.warn(code, message);
        },
        stop: (kind) => {
          this.stop(kind);
        },
        log: this.#log,
      }),
      tools: new ToolLoop({ tools: options.tools ?? [], registry: tools, log: this.#log }),
      defaultMaxTokens: settings.defaultMaxTokens,
      onProgress: () => {
        this.#progress.changed();
      },
      onFirstToken: () => {
        traceEvent('first token');
        metrics?.firstToken(attempt, performance.now() - begunAt);
      },
      log: this.#log,
    });
    this.#progress = new ProgressReporter({
      look: () => this.#stream.progress,
      tell: (progress) => {
        const type = 'generation.progress';
        const event = { type, room: this.#room, at: new Date().toISOString(), generationId, ...progress };
        this.#writer.tell(event);
      },
    });
  }

  /** Stops the run; the first reason counts. */
  stop(kind: StopKind): void {
    if (this.#controller.signal.aborted) return;
    this.#controller.abort(new Stop(kind));
    // An end needs what was written before: with less it would take away what everybody has seen.
    if (this.#tookOver || kind === 'fenced' || kind === 'handOver') this.#opening.abort();
  }

  /** Runs to the end. Fails only where Postgres does not take the end and the worker has to go. */
  async run(): Promise<RunResult> {
    const { signal } = this.#controller;
    try {
      this.#opened = this.#open();
      this.#opened.catch(() => undefined); // the signal tells
      // The first attempt has nothing to go on from: it asks the model while the log is being opened.
      if (this.#tookOver) this.#stream.repeatContinued();
      else this.#takeOver(await unlessAborted(this.#opened, signal));
      await this.#stream.complete(signal);
      signal.throwIfAborted();
      return await this.#end(this.#completed());
    } catch (error) {
      return await this.#endWith(error);
    } finally {
      this.#deadlines.clear();
      this.#progress.close();
      this.#output?.close();
      this.#cache?.close();
      this.#writer.close();
      this.#opening.abort();
    }
  }

  /** Opens the log behind everything that was said before. Resolves with what this attempt goes on from. */
  async #open(): Promise<string | undefined> {
    const { generation } = this.attempt;
    const { signal } = this.#opening;
    await this.context.relay.flush(this.#room, signal);
    const fallback = {
      // The first attempt says itself what it continues.
      parts: generation.attempt > 1 ? partsOf(generation.content, generation.id, generation.model) : [],
      usage: generation.usage && asCall(generation.usage),
    };
    return this.#writer.open(fallback, signal);
  }

  #takeOver(transcript: string | undefined): void {
    this.#tookOver = true;
    if (transcript !== undefined) this.#stream.resume(transcript);
  }

  /** What becomes of an answer that is to be JSON. What runs of documents answer is looked at by those who read it. */
  #createOutput({ flushIntervalMs }: RunSettings): StructuredOutput | undefined {
    const { outputSchema: schema, output, flush } = this.attempt.generation.options;
    if ('task' in this.attempt || (!schema && !output)) return undefined;
    const joinedMs = flush ? (flush.by === 'time' ? flush.ms : 0) : flushIntervalMs;
    return new StructuredOutput({
      schema,
      schemas: this.context.schemas,
      everyMs: Math.max(minObjectMs, joinedMs),
      tell: (object, how) => {
        this.#writer.object(object, how);
      },
    });
  }

  #completed(): Outcome {
    const { content, stopReason, stopSequence } = this.#stream.state;
    if (stopReason === 'refusal') {
      const error = this.#error('provider_refused', 'The model refused to answer.');
      return { status: 'failed', stopReason, content, error };
    }
    const fault = 'task' in this.attempt ? faultOfRun(this.attempt.task, textOf(content)) : undefined;
    if (fault)
      return { status: 'failed', stopReason, content, error: this.#error(fault.code, fault.message) };
    return { status: 'completed', stopReason, stopSequence, content };
  }

  /** Ends the run as the error, or what stopped it, says. */
  async #endWith(error: unknown): Promise<RunResult> {
    const stop = stopOf(this.#controller.signal)?.kind;
    if (stop === 'fenced') return this.#leave();
    if (stop === 'handOver' || !(await this.#knowsWritten())) return this.#handOver(undefined);
    if (stop === 'cancelled') return this.#endCancelled();
    const waitMs = stop ? undefined : this.#askedToWaitMs(error);
    if (waitMs !== undefined) return this.#handOver(waitMs);
    const failure = failureOf(stop, error, this.provider.name);
    if (failure.code === 'internal') this.#log.error({ err: error }, 'a generation failed');
    const { content, stopReason } = this.#stream.state;
    return this.#end({ status: 'failed', stopReason, content, error: failure });
  }

  /** How long the provider, which has turned the generation away, asks to wait; undefined: it did not, or for too long. */
  #askedToWaitMs(error: unknown): number | undefined {
    const { attempt } = this.attempt.generation;
    if (!(error instanceof ProviderError) || error.code !== 'provider_rate_limited') return undefined;
    const waitMs = error.retryAfterMs ?? 1000 * 2 ** (attempt - 1);
    if (attempt >= maxRateLimited || waitMs >= this.#deadlines.leftMs) return undefined;
    this.#writer.warn('retrying', `${error.message} It asks to wait ${Math.ceil(waitMs / 1000)} s.`);
    return waitMs;
  }

  #endCancelled(): Promise<RunResult> {
    const { content } = this.#stream.state;
    return this.#end({ status: 'cancelled', stopReason: 'cancelled', content });
  }

  #error(code: GenerationError['code'], message: string): GenerationError {
    return { code, message, provider: this.provider.name, statusCode: null };
  }

  /** Writes what is left, then commits the end, as soon as Postgres takes it. */
  async #end(outcome: Outcome): Promise<RunResult> {
    const { generation } = this.attempt;
    if (outcome.status !== 'cancelled') this.#writer.end();
    await this.#drain(drainMs);
    traceEvent('last chunk', this.#stream.logged);
    if (stopOf(this.#controller.signal)?.kind === 'fenced') return this.#leave();
    // After a cancel the log takes nothing more: what is kept is what everybody saw, and what waited to be joined.
    const content =
      outcome.status === 'cancelled' && this.#writer.written !== '' && !this.#writer.joins
        ? StreamState.of(readTranscript(this.#writer.written).parts).content
        : outcome.content;
    const { usage, metrics, details } = this.#stream;
    const end = { ...outcome, content, usage, metrics };
    const status = await this.#persist(() => endAttempt(this.context, generation, end, details));
    if (status) traceAttributes({ 'tokencast.status': status, ...usageAttributes(usage) });
    await this.#cache?.end(status === 'completed' ? this.#stream.cacheable : undefined);
    return { kind: 'ended' };
  }

  #leave(): RunResult {
    this.#log.info(this.#stream.logged, 'another worker has the generation');
    return { kind: 'ended' };
  }

  async #handOver(waitMs: number | undefined): Promise<RunResult> {
    await this.#drain(2000);
    const { state, usage } = this.#stream;
    const soFar = this.#tookOver ? { content: state.content, usage } : undefined;
    const outcome = await this.#persist(() => handOverAttempt(this.context, this.attempt.generation, soFar));
    if (outcome === 'cancelled') return this.#endCancelled();
    this.#metrics?.handedOver(waitMs === undefined ? 'released' : 'rate_limited');
    this.#log.info({ waitMs, ...this.#stream.logged }, 'handed over');
    return { kind: 'handedOver', waitMs };
  }

  /** Waits until the log has everything, at most so long. */
  async #drain(timeoutMs: number): Promise<void> {
    await settledWithin(this.#opened, timeoutMs);
    await this.#writer.drain(timeoutMs);
  }

  /** Whether it is known what earlier attempts have written: waits for it as the end does for its own text. */
  async #knowsWritten(): Promise<boolean> {
    if (this.#tookOver) return true;
    if (!(await settledWithin(this.#opened, drainMs))) return false;
    this.#takeOver(await this.#opened.catch(() => undefined));
    return true;
  }

  /** Repeats until Postgres has taken it. The job's lock is renewed meanwhile, and a lost one fences. */
  async #persist<T>(action: () => Promise<T>): Promise<T> {
    for (let failures = 0; ; failures += 1) {
      try {
        const taken = await action();
        if (!taken) this.#log.info(this.#stream.logged, 'the generation had ended elsewhere');
        return taken;
      } catch (error) {
        this.#log.warn({ reason: reasonOf(error), failures }, 'the end cannot be stored yet');
        await sleep(backoffMs(failures, { baseMs: 100, maxMs: 1000 }));
      }
    }
  }
}

const usageAttributes = ({ inputTokens, outputTokens }: Usage) => ({
  'gen_ai.usage.input_tokens': inputTokens,
  'gen_ai.usage.output_tokens': outputTokens,
});
