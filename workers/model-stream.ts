import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageDelta, Repair } from '../src/domain/content.js';
import type { GenerationMetrics, Usage } from '../src/domain/generation.js';
import { backoffMs } from '../src/lib/backoff.js';
import { partsOf } from '../src/domain/parts-of.js';
import type { Logger } from '../src/lib/logger.js';
import { ProviderError } from '../src/providers/provider.js';
import { Answer } from './answer.js';
import type { CachedAnswer } from './cache-turn.js';
import { CachedReply, type CachedReplyOptions } from './cached-reply.js';
import { keepable } from './continuation.js';
import { GenerationFailure } from './generation-failure.js';
import { ModelCaller, type ModelCallerOptions } from './model-caller.js';
import type { Progress } from './progress-reporter.js';
import { StreamState } from './stream-state.js';
import type { StructuredOutput } from './structured-output.js';
import { maxRounds } from './tool-loop.js';

interface ModelStreamOptions extends Omit<ModelCallerOptions & CachedReplyOptions, 'answer'> {
  /** Undefined: the answer need not be JSON. */
  output: StructuredOutput | undefined;
  /** Something has come of the answer. */
  onProgress: () => void;
  onFirstToken?: () => void;
  log: Logger;
}

/** Tries of one attempt for each round, before the first token and after breaks alike. */
const maxTries = 3;

/**
 * The one stream of a generation, out of as many calls of the model as it takes, with what tools answer in between; or
 * out of the cache.
 */
export class ModelStream {
  readonly #answer: Answer;
  readonly #caller: ModelCaller;
  readonly #cached: CachedReply;

  constructor(private readonly options: ModelStreamOptions) {
    this.#answer = new Answer({ generation: options.attempt.generation, ...options });
    this.#caller = new ModelCaller({ answer: this.#answer, ...options });
    this.#cached = new CachedReply({ answer: this.#answer, ...options });
  }

  get state(): StreamState {
    return this.#answer.state;
  }

  get usage(): Usage {
    return this.#answer.usage;
  }

  get metrics(): GenerationMetrics {
    return this.#answer.metrics;
  }

  get progress(): Progress {
    return this.#answer.progress;
  }

  get logged() {
    return this.#answer.logged;
  }

  /** What is known of how the answer came to be. */
  get details() {
    const { details } = this.#caller;
    const cached = this.#cached.replayed;
    return { ...details, streamed: cached ? null : details.streamed, cached };
  }

  /** What the cache may keep of an answer that has completed. */
  get cacheable(): CachedAnswer | undefined {
    return this.#cached.cacheable;
  }

  /** Says again what the answer has that this generation continues, so that its message begins anew. */
  repeatContinued(): void {
    const { content, id, model } = this.options.attempt.generation;
    // Nothing of it is lost: what does not end in text could not be gone on from.
    this.#answer.replay(keepable(StreamState.of(partsOf(content, id, model))));
  }

  /** Takes over what earlier attempts have written. */
  resume(transcript: string): void {
    const start = this.#answer.resume(transcript).find((part) => part.type === 'message_start');
    const isProviders = start && start.message.id !== this.options.attempt.generation.id;
    this.#caller.takeOver(isProviders ? start.message.id : undefined);
  }

  /**
   * Calls the model, and the tools that it asks for, until its answer is whole.
   *
   * @throws ProviderError when it cannot be had, or not in time; GenerationFailure; the signal's reason
   */
  async complete(signal: AbortSignal): Promise<void> {
    const { stopReason } = this.state;
    await this.options.tools.open(signal);
    // A worker was lost between the two events that end the stream.
    if (stopReason !== null && !this.state.ended) this.#answer.write({ type: 'message_stop' });
    if (this.state.ended) {
      // Or between that end and the generation's, which may have been a failure.
      requireNoProblem(await this.#problemOf(stopReason, signal));
      return;
    }
    const known = await this.#cached.find(() => {
      this.#caller.leave();
    }, signal);
    if (known) await this.#replay(known, signal);
    else await this.#callUntilEnded(signal);
  }

  async #replay(known: CachedAnswer, signal: AbortSignal): Promise<void> {
    await this.#cached.replay(known, signal);
    const { stopReason: stop_reason, stopSequence: stop_sequence } = known;
    await this.#problemOf(stop_reason, signal);
    const usage = { input_tokens: 0, output_tokens: 0 };
    this.#answer.writeEnd({ type: 'message_delta', delta: { stop_reason, stop_sequence }, usage });
  }

  async #callUntilEnded(signal: AbortSignal): Promise<void> {
    const { deadlines, log, writer } = this.options;
    let failures = 0;
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#answerCalls(signal);
        if (this.state.ended) return;
        const end = await this.#caller.call(failures, signal);
        if (end) await this.#endCall(end, signal);
        tries = 0;
        failures = 0;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ProviderError)) throw error;
        failures += 1;
        if (!error.retryable || tries >= maxTries || error.code === 'provider_rate_limited') throw error;
        const waitMs = error.retryAfterMs ?? 250 + backoffMs(tries, { baseMs: 500, maxMs: 8000 });
        if (waitMs >= deadlines.leftMs) throw error;
        log.warn({ code: error.code, tries, waitMs, ...this.logged }, 'the model is tried again');
        writer.warn('retrying', `${error.message} Try ${tries + 1} of ${maxTries} follows.`);
        deadlines.rest();
        await sleep(waitMs, undefined, { signal });
      } finally {
        deadlines.rest();
      }
    }
  }

  /** Has the tools answer that the model called with the end of its last round, if it did. */
  async #answerCalls(signal: AbortSignal): Promise<void> {
    const { tools } = this.options;
    const { roundEnd, rounds } = this.state;
    if (!roundEnd) return;
    if (rounds > maxRounds)
      throw new GenerationFailure('tool_failed', `The model went on calling after ${maxRounds} rounds.`);
    await tools.run(this.state.content, signal, (result) => {
      this.#answer.write(result);
    });
    if (tools.awaitsClient(this.state.content)) this.#answer.writeEnd({ ...roundEnd, type: 'message_delta' });
  }

  /** The model has ended its call: so does the generation, unless there is something to go on with. */
  async #endCall(end: MessageDelta, signal: AbortSignal): Promise<void> {
    // A call that had nothing to add to an open text leaves it open.
    this.#answer.closeBlock();
    const { stop_reason: reason } = end.delta;
    const goesOn =
      reason === 'pause_turn' || (reason === 'tool_use' && this.options.tools.goesOn(this.state.round));
    if (goesOn) {
      this.#answer.write({ ...end, type: 'round_end' });
      return;
    }
    const problem = await this.#problemOf(reason, signal);
    if (problem !== undefined && !isCutOff(reason) && !this.state.repair) {
      this.#repair(problem);
      return;
    }
    this.#answer.writeEnd(end);
    requireNoProblem(problem);
  }

  /** What is wrong with the JSON of the answer; undefined: nothing, or it need not be any. */
  async #problemOf(reason: string | null, signal: AbortSignal): Promise<string | undefined> {
    return endsAnswer(reason) ? this.options.output?.finish(signal) : undefined;
  }

  /** Has the model write its answer a second time, and tells it what was wrong with the first. */
  #repair(problem: string): void {
    const { output, writer } = this.options;
    const answer = output?.text ?? '';
    writer.warn(
      'repairing',
      'The answer is not the JSON that was asked for; the model is asked to set it right.',
    );
    const kept = this.state.content.slice(0, this.state.roundFrom);
    const repair: Repair = { type: 'repair', answer, problem: repairInstruction(problem) };
    this.#answer.rewind(kept, 'The answer is written anew.', repair);
  }
}

/** Whether what the model has written is the answer, and not a refusal or calls for the client. */
const endsAnswer = (reason: string | null) => reason !== 'refusal' && reason !== 'tool_use';

/** Whether a second try would only be cut off, too. */
const isCutOff = (reason: string | null) =>
  reason === 'max_tokens' || reason === 'model_context_window_exceeded';

function requireNoProblem(problem: string | undefined): void {
  if (problem !== undefined)
    throw new GenerationFailure('schema_mismatch', `The answer is not what was asked for: ${problem}.`);
}

const repairInstruction = (problem: string) =>
  `Your answer is not the JSON that was asked for: ${problem}. Write all of it again, set right. Write JSON alone: no ` +
  'other words, no code fence.';
