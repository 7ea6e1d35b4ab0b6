import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import {
  deltaText,
  hasContent,
  type Chunk,
  type ContentBlock,
  type ContentDelta,
  type MessageDelta,
  type ObjectNote,
  type Repair,
  type StreamPart,
} from '../src/domain/content.js';
import type { GenerationMetrics, Usage } from '../src/domain/generation.js';
import { tokensOfCharacters } from '../src/domain/tokens.js';
import { backoffMs } from '../src/lib/backoff.js';
import { partsOf } from '../src/domain/parts-of.js';
import type { Logger } from '../src/lib/logger.js';
import { nothingLeft } from '../src/providers/provider-errors.js';
import {
  ProviderError,
  type Provider,
  type ProviderRequest,
  type ResponseHead,
} from '../src/providers/provider.js';
import { readTranscript, type CallRecord } from '../src/redis/transcript.js';
import type { Attempt } from '../src/service/attempt.js';
import { asCall, callBeyond, usageOf, usageOfCalls } from '../src/service/usage.js';
import { cacheKey } from './cache-key.js';
import type { CachedAnswer, CacheTurn } from './cache-turn.js';
import { ChunkMapper } from './chunk-mapper.js';
import { continueFrom, keepable } from './continuation.js';
import type { Deadlines } from './deadlines.js';
import { GenerationFailure } from './generation-failure.js';
import type { LogWriter } from './log-writer.js';
import { metricsOf } from './metrics.js';
import { promptOf } from './prompt.js';
import type { Progress } from './progress-reporter.js';
import type { Entry, ProviderGate } from './provider-gate.js';
import { replayOf } from './replay.js';
import { inputTokensOf, type Spending } from './spending.js';
import { StreamState } from './stream-state.js';
import type { StructuredOutput } from './structured-output.js';
import { maxRounds, type ToolLoop } from './tool-loop.js';

interface ModelStreamOptions {
  attempt: Attempt;
  provider: Provider;
  gate: ProviderGate;
  /** For the first request. */
  entry: Entry;
  writer: LogWriter;
  deadlines: Deadlines;
  spending: Spending;
  tools: ToolLoop;
  /** Undefined: the answer need not be JSON. */
  output: StructuredOutput | undefined;
  /** Undefined: the model is asked, whatever was answered before. */
  cache: CacheTurn | undefined;
  /** Whether users get the answers that others have had. */
  cacheShared: boolean;
  defaultMaxTokens: number;
  /** Something has come of the answer. */
  onProgress: () => void;
  log: Logger;
}

/** Tries of one attempt for each round, before the first token and after breaks alike. */
const maxTries = 3;
/** After so many failures to stream, before the first token, the answer is asked for as a whole. */
const maxStreamFailures = 2;
/** A wait for the provider that is shorter is not worth a word. */
const minToldWaitMs = 1000;
/** A replay waits at most so long for each piece to be in the log. */
const replayStepMs = 1000;
/** The share of `maxTokens` from which on the room is told that the answer will be cut off. */
const nearLimit = 0.9;

/**
 * The one stream of a generation, out of as many calls of the model as it takes: what has come of it so far, and the
 * calls that bring more. Everything that comes goes to the log writer at once.
 */
export class ModelStream {
  #state = new StreamState();
  readonly #calls: CallRecord[] = [];
  #chunks = 0;
  #firstTokenAt: number | null = null;
  #failures = 0;
  #streamed = true;
  #head: ResponseHead | undefined;
  #providerMessageId: string | null = null;
  /** An earlier attempt has written what is there. */
  #takenOver = false;
  /** How the call under way has ended, held back until it is decided whether the generation ends with it. */
  #end: MessageDelta | undefined;
  #maxTokens = 1;
  #nearLimit = false;
  /** How much of the answer there is, since it last started over, in UTF-16 code units. */
  #answerCharacters = 0;
  #replayed = false;

  #firstEntry: Entry | undefined;

  constructor(private readonly options: ModelStreamOptions) {
    this.#firstEntry = options.entry;
  }

  get state(): StreamState {
    return this.#state;
  }

  /** What all calls of all attempts have used. */
  get usage(): Usage {
    // The transcript tells of the calls before this attempt's.
    if (this.#calls.length > 0) return usageOfCalls(this.#calls);
    return this.options.attempt.generation.usage ?? usageOfCalls([]);
  }

  get metrics(): GenerationMetrics {
    return metricsOf({
      generation: this.options.attempt.generation,
      figures: this.#state.figures,
      chunks: this.#chunks,
      firstTokenAt: this.#firstTokenAt,
      usage: this.usage,
    });
  }

  /** How far it is, as far as can be told before its end. */
  get progress(): Progress {
    return {
      metrics: this.metrics,
      estimatedPercent: Math.min(99, Math.floor((100 * this.#writtenTokens) / this.#maxTokens)),
      estimatedOutputTokens: this.#writtenTokens,
      stage: this.#state.stage.label,
    };
  }

  /** What is known of the provider's answer. */
  get details() {
    const { generation } = this.options.attempt;
    return {
      requestId: this.#head?.requestId ?? generation.requestId,
      rateLimits: this.#head?.rateLimits ?? generation.rateLimits,
      providerMessageId: this.#providerMessageId ?? generation.providerMessageId,
      streamed: this.cached ? null : this.#streamed,
      cached: this.cached,
    };
  }

  /** Whether it is an answer of the cache: also one that an earlier attempt has replayed to its end. */
  get cached(): boolean {
    return this.#replayed || (this.#state.ended && this.#calls.length === 0);
  }

  /** What the cache may keep of an answer that has completed: nothing of an empty one, or one that got less than it asked for. */
  get cacheable(): CachedAnswer | undefined {
    const { attempt, spending } = this.options;
    if (attempt.generation.askedMaxTokens !== null || spending.lowered) return undefined;
    const { content, stopReason, stopSequence } = this.#state;
    return hasContent(content) ? { content, stopReason, stopSequence } : undefined;
  }

  /** What logs say: never the text itself. */
  get logged() {
    const startedAt = this.options.attempt.generation.startedAt?.getTime() ?? Date.now();
    return {
      chunks: this.#chunks,
      characters: this.#state.figures.characters,
      elapsedMs: Date.now() - startedAt,
    };
  }

  /** Says again what the answer has that this generation continues, so that its message begins anew. */
  repeatContinued(): void {
    const { content, id, model } = this.options.attempt.generation;
    // Nothing of it is lost: what does not end in text could not be gone on from.
    this.#replay(keepable(StreamState.of(partsOf(content, id, model))));
  }

  /** Takes over what earlier attempts have written. */
  resume(transcript: string): void {
    const { parts, calls } = readTranscript(transcript);
    this.#state = StreamState.of(parts);
    this.options.output?.resume(parts);
    this.#calls.push(...calls);
    const beyond = callBeyond(calls, this.options.attempt.generation.usage);
    if (beyond) {
      this.#calls.push(beyond);
      this.options.writer.beginCall();
      this.options.writer.reportUsage(beyond.usage, true);
    }
    for (const { characters } of calls) this.#answerCharacters += characters;
    this.#takenOver = true;
    const start = parts.find((part) => part.type === 'message_start');
    if (start && start.message.id !== this.options.attempt.generation.id)
      this.#providerMessageId = start.message.id;
  }

  /**
   * Calls the model, and the tools that it asks for, until its answer is whole.
   *
   * @throws ProviderError when it cannot be had, or not in time; GenerationFailure; the signal's reason
   */
  async complete(signal: AbortSignal): Promise<void> {
    const { deadlines, log, tools, writer } = this.options;
    await tools.open(signal);
    // A worker was lost between the two events that end the stream.
    if (this.#state.stopReason !== null && !this.#state.ended) this.#write({ type: 'message_stop' });
    if (this.#state.ended) {
      // Or between that end and the generation's, which may have been a failure.
      this.#requireNoProblem(await this.#problemOf(this.#state.stopReason, signal));
      return;
    }
    const known = await this.#askCache(signal);
    if (known) {
      await this.#replayCached(known, signal);
      return;
    }
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#answerCalls(signal);
        if (this.#state.ended) return;
        await this.#call(signal);
        await this.#endCall(signal);
        tries = 0;
        this.#failures = 0;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ProviderError)) throw error;
        this.#failures += 1;
        this.#head = error.head ?? this.#head;
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

  /** The answer of the cache, if it has one: it is asked before the first call of the model. */
  async #askCache(signal: AbortSignal): Promise<CachedAnswer | undefined> {
    const { attempt, provider, cache, cacheShared, defaultMaxTokens, tools, writer } = this.options;
    const { generation } = attempt;
    if (!cache) return undefined;
    const { askedMaxTokens, options, userId } = generation;
    const asked = askedMaxTokens === null ? options : { ...options, maxTokens: askedMaxTokens };
    const { request, cutTurns } = promptOf(
      { ...attempt, generation: { ...generation, options: asked } } as Attempt,
      { defaultMaxTokens, tools: tools.definitions, written: [] },
    );
    const key = cacheKey({ userId: cacheShared ? null : userId, provider: provider.name, request, options });
    if (this.#calls.length > 0) {
      await cache.resume(key);
      return undefined;
    }
    // Whoever waits for another one's answer may never ask the provider: others may, meanwhile.
    this.#firstEntry?.leave();
    this.#firstEntry = undefined;
    const known = await cache.take(key, signal);
    if (known && cutTurns > 0) writer.warn('history_cut', historyCut(cutTurns));
    this.#maxTokens = request.maxTokens;
    return known;
  }

  /** Says what the cache has, as the model would. */
  async #replayCached(answer: CachedAnswer, signal: AbortSignal): Promise<void> {
    const { attempt, writer } = this.options;
    // A worker was lost while it did the same.
    if (this.#state.started) this.#rewind([], 'The answer starts over.');
    this.#replayed = true;
    let inStep = true;
    for (const part of replayOf(answer, attempt.generation)) {
      // Piece by piece, as a model would; not where Redis is away.
      inStep &&= await writer.whenSent(replayStepMs);
      await nextTurn();
      await writer.whenRoom(signal);
      signal.throwIfAborted();
      this.#write(part);
      if (part.type === 'content_block_delta') this.#count(part.delta);
    }
    const { stopReason: stop_reason, stopSequence: stop_sequence } = answer;
    await this.#problemOf(stop_reason, signal);
    const usage = { input_tokens: 0, output_tokens: 0 };
    this.#writeEnd({ type: 'message_delta', delta: { stop_reason, stop_sequence }, usage });
  }

  /** Has the tools answer that the model called with the end of its last round, if it did. */
  async #answerCalls(signal: AbortSignal): Promise<void> {
    const { tools } = this.options;
    const { roundEnd, rounds } = this.#state;
    if (!roundEnd) return;
    if (rounds > maxRounds)
      throw new GenerationFailure('tool_failed', `The model went on calling after ${maxRounds} rounds.`);
    await tools.run(this.#state.content, signal, (result) => {
      this.#write(result);
    });
    if (tools.awaitsClient(this.#state.content)) this.#writeEnd({ ...roundEnd, type: 'message_delta' });
  }

  /** The model has ended its call: so does the generation, unless there is something to go on with. */
  async #endCall(signal: AbortSignal): Promise<void> {
    const end = this.#end;
    this.#end = undefined;
    if (!end) return;
    // A call that had nothing to add to an open text leaves it open.
    this.#closeBlock();
    const { stop_reason: reason } = end.delta;
    const goesOn =
      reason === 'pause_turn' || (reason === 'tool_use' && this.options.tools.goesOn(this.#state.round));
    if (goesOn) {
      this.#write({ ...end, type: 'round_end' });
      return;
    }
    const problem = await this.#problemOf(reason, signal);
    if (problem !== undefined && !isCutOff(reason) && !this.#state.repair) {
      this.#repair(problem);
      return;
    }
    this.#writeEnd(end);
    this.#requireNoProblem(problem);
  }

  /** What is wrong with the JSON of the answer; undefined: nothing, or it need not be any. */
  async #problemOf(reason: string | null, signal: AbortSignal): Promise<string | undefined> {
    return endsAnswer(reason) ? this.options.output?.finish(signal) : undefined;
  }

  #requireNoProblem(problem: string | undefined): void {
    if (problem !== undefined)
      throw new GenerationFailure('schema_mismatch', `The answer is not what was asked for: ${problem}.`);
  }

  /** Has the model write its answer a second time, and tells it what was wrong with the first. */
  #repair(problem: string): void {
    const { output, writer } = this.options;
    const answer = output?.text ?? '';
    writer.warn(
      'repairing',
      'The answer is not the JSON that was asked for; the model is asked to set it right.',
    );
    const kept = this.#state.content.slice(0, this.#state.roundFrom);
    const repair: Repair = { type: 'repair', answer, problem: repairInstruction(problem) };
    this.#rewind(kept, 'The answer is written anew.', repair);
  }

  #writeEnd(end: MessageDelta): void {
    this.#write(end);
    this.#write({ type: 'message_stop' });
  }

  /** One call of the model, to its `message_stop`, as soon as the provider takes it. */
  async #call(signal: AbortSignal): Promise<void> {
    const entry = await this.#enter(signal);
    try {
      await this.#callEntered(entry, signal);
    } catch (error) {
      if (error instanceof ProviderError && error.head) entry.answered(error.head.limits);
      throw error;
    } finally {
      entry.leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<Entry> {
    const { deadlines, gate, provider, writer } = this.options;
    const first = this.#firstEntry;
    this.#firstEntry = undefined;
    if (first) return first;
    return gate.enter((waitMs) => {
      const reason = nothingLeft(provider.name, waitMs);
      if (waitMs >= deadlines.leftMs) throw reason;
      if (waitMs >= minToldWaitMs) writer.warn('rate_limited', reason.message);
    }, signal);
  }

  async #callEntered(entry: Entry, signal: AbortSignal): Promise<void> {
    const { provider, writer, deadlines, spending } = this.options;
    const { request, mapper } = this.#next();
    const inputTokens = inputTokensOf(request);
    const before = this.#calls.length > 0 ? usageOfCalls(this.#calls) : undefined;
    request.maxTokens = await spending.reserve({ request, inputTokens, before }, signal);
    this.#maxTokens = request.maxTokens;
    // One that broke off behind its `message_delta` has not ended so.
    this.#end = undefined;
    const call: CallRecord = { usage: {}, final: false, characters: 0 };
    const options = {
      signal,
      onResponse: (head: ResponseHead) => {
        this.#head = head;
        entry.answered(head.limits);
        // From here on it costs, also where the provider tells its usage only at an end that never comes.
        call.usage = { input_tokens: inputTokens };
        writer.reportUsage(call.usage, false);
      },
    };
    this.#calls.push(call);
    writer.beginCall();
    if (hasContent(this.#state.content)) deadlines.begun();
    deadlines.heard();
    this.#streamed = this.#failures < maxStreamFailures || hasContent(this.#state.round);
    if (!this.#streamed) {
      writer.warn('fallback_blocking', 'Streaming failed twice; the answer is asked for as a whole.');
      for (const chunk of await provider.complete(request, options)) {
        this.#take(chunk, mapper, call);
        if (this.#endsHere) break;
      }
      this.#endHere();
      return;
    }
    for await (const chunk of provider.stream(request, options)) {
      deadlines.heard();
      this.#take(chunk, mapper, call);
      if (this.#endsHere) break; // which closes the connection
      const paid = spending.look(usageOf(call), signal);
      if (paid) {
        deadlines.rest();
        await paid;
        deadlines.heard();
      }
      if (!writer.full) continue;
      deadlines.rest();
      await writer.whenRoom(signal);
      deadlines.heard();
    }
    this.#endHere();
  }

  /** The request of the next call: the first one, or one that goes on from what has been written. */
  #next(): { request: ProviderRequest; mapper: ChunkMapper } {
    const { attempt, defaultMaxTokens, tools, writer } = this.options;
    const { request, cutTurns } = promptOf(attempt, {
      defaultMaxTokens,
      tools: tools.definitions,
      written: this.#state.content,
    });
    this.#maxTokens = request.maxTokens;
    if (cutTurns > 0 && this.#calls.length === 0) writer.warn('history_cut', historyCut(cutTurns));
    this.#dropBroken();
    const { started, nextIndex, openIndex } = this.#state;
    const continuation = continueFrom(request, this.#state);
    const { whiteSpace } = continuation;
    const mapper = new ChunkMapper({
      started,
      nextIndex,
      ...(whiteSpace !== undefined && { resume: { openIndex, whiteSpace } }),
    });
    return { request: continuation.request, mapper };
  }

  /** Drops what a call cannot go on from; all of it where the answer is to start over after a break. */
  #dropBroken(): void {
    const { content, round } = this.#state;
    const broke = hasContent(round) || this.#takenOver;
    this.#takenOver = false;
    if (!broke || !hasContent(content)) return;
    // What is there before the first call is the answer that was to be continued.
    const startsOver =
      this.options.attempt.generation.options.onCrash === 'restart' && this.#calls.length > 0;
    const kept = startsOver ? [] : keepable(this.#state);
    if (kept.length === content.length) return;
    const cannot = kept.length > 0 ? 'Part of the answer' : 'The answer';
    this.#rewind(kept, startsOver ? 'The answer starts over.' : `${cannot} cannot be continued.`);
  }

  /** Goes back to what is kept, but not behind what it cost. */
  #rewind(kept: readonly ContentBlock[], reason: string, repair = this.#state.repair): void {
    const { output, writer } = this.options;
    writer.reset(reason);
    output?.restart();
    this.#state = new StreamState();
    if (repair) this.#write(repair);
    this.#replay(kept);
    this.#answerCharacters = this.#state.figures.characters;
    writer.beginCall();
    writer.reportUsage(asCall(usageOfCalls(this.#calls)), true);
  }

  /** Says again what has been said. */
  #replay(content: readonly ContentBlock[]): void {
    const { id, model } = this.options.attempt.generation;
    for (const part of partsOf(content, id, model)) this.#write(part);
  }

  /** Adds a part to the stream. */
  #write(part: Exclude<StreamPart, ObjectNote>): void {
    const { output, writer } = this.options;
    this.#state.apply(part);
    if (part.type === 'tool_result') writer.toolResult(callName(this.#state.content, part.tool_use_id), part);
    else writer.write(part);
    output?.apply(part);
  }

  #closeBlock(): void {
    const { openIndex } = this.#state;
    if (openIndex !== undefined) this.#write({ type: 'content_block_stop', index: openIndex });
  }

  /** About how many tokens the call under way has written; without one, the answer. */
  get #writtenTokens(): number {
    return tokensOfCharacters(this.#calls.at(-1)?.characters ?? this.#answerCharacters);
  }

  /** Says once that the answer comes near the length at which it is cut off. */
  #warnNearLimit(): void {
    if (this.#nearLimit || this.#writtenTokens < nearLimit * this.#maxTokens) return;
    this.#nearLimit = true;
    this.options.writer.warn(
      'near_token_limit',
      `About ${100 * nearLimit} % of the ${this.#maxTokens} tokens that the answer may have are written.`,
    );
  }

  /** The answer has come to the share of `maxTokens` at which it was to be ended. */
  get #endsHere(): boolean {
    const { stopAtPercent } = this.options.attempt.generation.options;
    if (stopAtPercent === undefined || this.#end || this.#state.ended) return false;
    return 100 * tokensOfCharacters(this.#answerCharacters) >= stopAtPercent * this.#maxTokens;
  }

  /** Ends the answer as the model would have at `max_tokens`, if it is to end here. */
  #endHere(): void {
    if (!this.#endsHere) return;
    this.#closeBlock();
    const delta = { stop_reason: 'max_tokens', stop_sequence: null };
    this.#end = { type: 'message_delta', delta, usage: { output_tokens: this.usage.outputTokens } };
  }

  #take(chunk: Chunk, mapper: ChunkMapper, call: CallRecord): void {
    const { deadlines, writer } = this.options;
    const usage = usageIn(chunk);
    if (usage) {
      call.usage = { ...call.usage, ...usage };
      call.final = chunk.type === 'message_delta';
      writer.reportUsage(usage, call.final);
    }
    if (chunk.type === 'message_start') this.#providerMessageId = chunk.message.id;
    for (const mapped of mapper.map(chunk)) {
      if (mapped.type === 'message_delta') this.#end = mapped;
      if (mapped.type === 'message_delta' || mapped.type === 'message_stop') continue;
      this.#write(mapped);
      if (mapped.type === 'content_block_start') deadlines.begun();
      if (mapped.type !== 'content_block_delta') continue;
      deadlines.begun();
      call.characters += deltaText(mapped.delta)?.length ?? 0;
      this.#count(mapped.delta);
      this.#warnNearLimit();
    }
  }

  /** One more piece of the answer has come. */
  #count(delta: ContentDelta): void {
    this.#chunks += 1;
    this.#firstTokenAt ??= Date.now();
    this.#answerCharacters += deltaText(delta)?.length ?? 0;
    this.options.onProgress();
  }
}

const historyCut = (turns: number) =>
  `The model cannot read it all: the oldest ${turns} turns were left out.`;

/** Whether what the model has written is the answer, and not a refusal or calls for the client. */
const endsAnswer = (reason: string | null) => reason !== 'refusal' && reason !== 'tool_use';

/** Whether a second try would only be cut off, too. */
const isCutOff = (reason: string | null) =>
  reason === 'max_tokens' || reason === 'model_context_window_exceeded';

const repairInstruction = (problem: string) =>
  `Your answer is not the JSON that was asked for: ${problem}. Write all of it again, set right. Write JSON alone: no ` +
  'other words, no code fence.';

/** The name of the tool that was called with this id: by the last call, should ids come again. */
function callName(content: readonly ContentBlock[], callId: string): string {
  const call = content.findLast((block) => block.type === 'tool_use' && block.id === callId);
  return call?.type === 'tool_use' ? call.name : '';
}

/** What a chunk tells of its call's usage. Chat completions tell nothing at their start. */
function usageIn(chunk: Chunk) {
  switch (chunk.type) {
    case 'message_start': {
      const { usage } = chunk.message;
      const told = usage.input_tokens || usage.cache_read_input_tokens || usage.cache_creation_input_tokens;
      return told ? usage : undefined;
    }
    case 'message_delta':
      return chunk.usage;
    case 'content_block_start':
    case 'content_block_delta':
    case 'content_block_stop':
    case 'message_stop':
      return undefined;
  }
}
