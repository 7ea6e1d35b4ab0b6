import { hasContent, type Chunk, type MessageDelta } from '../src/domain/content.js';
import { inSpan, traceAttributes } from '../src/lib/tracing.js';
import { nothingLeft } from '../src/providers/provider-errors.js';
import {
  ProviderError,
  type Provider,
  type ProviderRequest,
  type ResponseHead,
} from '../src/providers/provider.js';
import type { CallRecord } from '../src/redis/transcript.js';
import type { Attempt } from '../src/service/attempt.js';
import { usageOfCalls } from '../src/service/usage.js';
import type { Answer } from './answer.js';
import { ChunkMapper } from './chunk-mapper.js';
import { continueFrom, keepable } from './continuation.js';
import type { Deadlines } from './deadlines.js';
import type { LogWriter } from './log-writer.js';
import { promptOf, warnOfCut } from './prompt.js';
import type { Entry, ProviderGate } from './provider-gate.js';
import { inputTokensOf, type Spending } from './spending.js';
import type { ToolLoop } from './tool-loop.js';

export interface ModelCallerOptions {
  attempt: Attempt;
  answer: Answer;
  provider: Provider;
  gate: ProviderGate;
  /** For the first request. */
  entry: Entry;
  writer: LogWriter;
  deadlines: Deadlines;
  spending: Spending;
  tools: ToolLoop;
  defaultMaxTokens: number;
}

/** After so many failures to stream, before the first token, the answer is asked for as a whole. */
const maxStreamFailures = 2;
/** A wait for the provider that is shorter is not worth a word. */
const minToldWaitMs = 1000;

/** Calls the model: each call goes on with the answer from where it is. */
export class ModelCaller {
  #firstEntry: Entry | undefined;
  #streamed = true;
  #head: ResponseHead | undefined;
  #messageId: string | null = null;
  /** An earlier attempt has written what is there. */
  #takesOver = false;
  /** How the call under way has ended. */
  #end: MessageDelta | undefined;

  constructor(private readonly options: ModelCallerOptions) {
    this.#firstEntry = options.entry;
  }

  /** What is known of the provider's answer. */
  get details() {
    const { generation } = this.options.attempt;
    return {
      requestId: this.#head?.requestId ?? generation.requestId,
      rateLimits: this.#head?.rateLimits ?? generation.rateLimits,
      providerMessageId: this.#messageId ?? generation.providerMessageId,
      streamed: this.#streamed,
    };
  }

  /** The next call goes on from what an earlier attempt has written, in the provider's message of this id. */
  takeOver(messageId: string | undefined): void {
    this.#takesOver = true;
    if (messageId !== undefined) this.#messageId = messageId;
  }

  /** Gives up the place at the provider that it has from the start: others may ask meanwhile. */
  leave(): void {
    this.#firstEntry?.leave();
    this.#firstEntry = undefined;
  }

  /**
   * One call of the model, to its `message_stop`, as soon as the provider takes it.
   *
   * @param failures how many calls in a row have failed before
   * @returns how the model has ended it, which is held back until it is decided whether the generation ends with it
   */
  async call(failures: number, signal: AbortSignal): Promise<MessageDelta | undefined> {
    const entry = await this.#enter(signal);
    try {
      const { attempt, provider } = this.options;
      const { model } = attempt.generation;
      await inSpan(`chat ${model}`, () => this.#callEntered(entry, failures, signal), {
        kind: 'client',
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': provider.name,
          'gen_ai.request.model': model,
        },
      });
      return this.#end;
    } catch (error) {
      if (error instanceof ProviderError && error.head) {
        this.#head = error.head;
        entry.answered(error.head.limits);
      }
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

  async #callEntered(entry: Entry, failures: number, signal: AbortSignal): Promise<void> {
    const { answer, provider, writer, deadlines, spending } = this.options;
    const { request, mapper } = this.#next();
    const inputTokens = inputTokensOf(request);
    const before = answer.calls.length > 0 ? usageOfCalls(answer.calls) : undefined;
    request.maxTokens = await spending.reserve({ request, inputTokens, before }, signal);
    answer.maxTokens = request.maxTokens;
    // One that broke off behind its `message_delta` has not ended so.
    this.#end = undefined;
    const call = answer.beginCall();
    const options = {
      signal,
      onResponse: (head: ResponseHead) => {
        this.#head = head;
        entry.answered(head.limits);
        if (head.requestId !== null) traceAttributes({ 'tokencast.provider_request_id': head.requestId });
        // From here on it costs, also where the provider tells its usage only at an end that never comes.
        answer.reportUsage(call, { input_tokens: inputTokens }, false);
      },
    };
    if (hasContent(answer.state.content)) deadlines.begun();
    deadlines.heard();
    this.#streamed = failures < maxStreamFailures || hasContent(answer.state.round);
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
      const paid = spending.look(call, signal);
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
    const { attempt, answer, defaultMaxTokens, tools, writer } = this.options;
    const { request, cutTurns } = promptOf(attempt, {
      defaultMaxTokens,
      tools: tools.definitions,
      written: answer.state.content,
    });
    answer.maxTokens = request.maxTokens;
    if (answer.calls.length === 0) warnOfCut(cutTurns, writer);
    this.#dropBroken();
    const { started, nextIndex, openIndex } = answer.state;
    const continuation = continueFrom(request, answer.state);
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
    const { attempt, answer } = this.options;
    const { content, round } = answer.state;
    const broke = hasContent(round) || this.#takesOver;
    this.#takesOver = false;
    if (!broke || !hasContent(content)) return;
    // What is there before the first call is the answer that was to be continued.
    const startsOver = attempt.generation.options.onCrash === 'restart' && answer.calls.length > 0;
    const kept = startsOver ? [] : keepable(answer.state);
    if (kept.length === content.length) return;
    const cannot = kept.length > 0 ? 'Part of the answer' : 'The answer';
    answer.rewind(kept, startsOver ? 'The answer starts over.' : `${cannot} cannot be continued.`);
  }

  get #endsHere(): boolean {
    return !this.#end && this.options.answer.isAtItsShare;
  }

  /** Ends the answer as the model would have at `max_tokens`, if it is to end here. */
  #endHere(): void {
    if (!this.#endsHere) return;
    const { answer } = this.options;
    answer.closeBlock();
    const delta = { stop_reason: 'max_tokens', stop_sequence: null };
    this.#end = { type: 'message_delta', delta, usage: { output_tokens: answer.usage.outputTokens } };
  }

  #take(chunk: Chunk, mapper: ChunkMapper, call: CallRecord): void {
    const { answer, deadlines } = this.options;
    const usage = usageIn(chunk);
    if (usage) answer.reportUsage(call, usage, chunk.type === 'message_delta');
    if (chunk.type === 'message_start') this.#messageId = chunk.message.id;
    for (const mapped of mapper.map(chunk)) {
      if (mapped.type === 'message_delta') this.#end = mapped;
      if (mapped.type === 'message_delta' || mapped.type === 'message_stop') continue;
      answer.write(mapped);
      if (mapped.type === 'content_block_start') deadlines.begun();
      if (mapped.type !== 'content_block_delta') continue;
      deadlines.begun();
      answer.count(mapped.delta, call);
    }
  }
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
