import {
  deltaText,
  type ApiUsage,
  type ContentBlock,
  type ContentDelta,
  type MessageDelta,
  type ObjectNote,
  type StreamPart,
} from '../src/domain/content.js';
import type { GenerationMetrics, Usage } from '../src/domain/generation.js';
import { partsOf } from '../src/domain/parts-of.js';
import { tokensOfCharacters } from '../src/domain/tokens.js';
import { readTranscript, type CallRecord } from '../src/redis/transcript.js';
import type { GenerationRow } from '../src/store/generations.js';
import { asCall, callBeyond, usageOfCalls } from '../src/service/usage.js';
import type { LogWriter } from './log-writer.js';
import { metricsOf } from './metrics.js';
import type { Progress } from './progress-reporter.js';
import { StreamState } from './stream-state.js';
import type { StructuredOutput } from './structured-output.js';

interface AnswerOptions {
  generation: GenerationRow;
  writer: LogWriter;
  /** Undefined: the answer need not be JSON. */
  output: StructuredOutput | undefined;
  /** Something has come of it. */
  onProgress: () => void;
  /** The first piece of it has come, in this attempt. */
  onFirstToken?: () => void;
}

/** The share of `maxTokens` from which on the room is told that the answer will be cut off. */
const nearLimit = 0.9;

/**
 * The answer of a generation, as far as it has come out of all calls of the model, and what they have used. Everything
 * that comes goes to the log writer at once.
 */
export class Answer {
  /** How many tokens the call under way may write. */
  maxTokens = 1;
  #state = new StreamState();
  readonly #calls: CallRecord[] = [];
  #chunks = 0;
  #firstTokenAt: number | null = null;
  /** How much of it there is, since it last started over, in UTF-16 code units. */
  #characters = 0;
  #isNearLimit = false;

  constructor(private readonly options: AnswerOptions) {}

  get state(): StreamState {
    return this.#state;
  }

  /** The calls of all attempts. */
  get calls(): readonly CallRecord[] {
    return this.#calls;
  }

  /** What all calls of all attempts have used. */
  get usage(): Usage {
    // The transcript tells of the calls before this attempt's.
    if (this.#calls.length > 0) return usageOfCalls(this.#calls);
    return this.options.generation.usage ?? usageOfCalls([]);
  }

  get metrics(): GenerationMetrics {
    return metricsOf({
      generation: this.options.generation,
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
      estimatedPercent: Math.min(99, Math.floor((100 * this.#writtenTokens) / this.maxTokens)),
      estimatedOutputTokens: this.#writtenTokens,
      stage: this.#state.stage.label,
    };
  }

  /** What logs say: never the text itself. */
  get logged() {
    const startedAt = this.options.generation.startedAt?.getTime() ?? Date.now();
    return {
      chunks: this.#chunks,
      characters: this.#state.figures.characters,
      elapsedMs: Date.now() - startedAt,
    };
  }

  /** It has come to the share of `maxTokens` at which it was to be ended. */
  get isAtItsShare(): boolean {
    const { stopAtPercent } = this.options.generation.options;
    if (stopAtPercent === undefined || this.#state.ended) return false;
    return 100 * tokensOfCharacters(this.#characters) >= stopAtPercent * this.maxTokens;
  }

  /** Takes over what earlier attempts have written. Answers the parts of their stream. */
  resume(transcript: string): StreamPart[] {
    const { generation, output, writer } = this.options;
    const { parts, calls } = readTranscript(transcript);
    this.#state = StreamState.of(parts);
    output?.resume(parts);
    this.#calls.push(...calls);
    const beyond = callBeyond(calls, generation.usage);
    if (beyond) {
      this.#calls.push(beyond);
      writer.beginCall();
      writer.reportUsage(beyond.usage, true);
    }
    for (const { characters } of calls) this.#characters += characters;
    return parts;
  }

  /** A call of the model begins. */
  beginCall(): CallRecord {
    const call: CallRecord = { usage: {}, final: false, characters: 0 };
    this.#calls.push(call);
    this.options.writer.beginCall();
    return call;
  }

  /** A call has told what it has used; `final`: with its end. */
  reportUsage(call: CallRecord, usage: ApiUsage, final: boolean): void {
    call.usage = Object.assign({}, call.usage, usage);
    call.final = final;
    this.options.writer.reportUsage(usage, final);
  }

  /** Adds a part to the stream. */
  write(part: Exclude<StreamPart, ObjectNote>): void {
    const { output, writer } = this.options;
    this.#state.apply(part);
    if (part.type === 'tool_result') writer.toolResult(callName(this.#state.content, part.tool_use_id), part);
    else writer.write(part);
    output?.apply(part);
  }

  writeEnd(end: MessageDelta): void {
    this.write(end);
    this.write({ type: 'message_stop' });
  }

  closeBlock(): void {
    const { openIndex } = this.#state;
    if (openIndex !== undefined) this.write({ type: 'content_block_stop', index: openIndex });
  }

  /** One more piece of it has come, by this call. Without one it is not the model's own. */
  count(delta: ContentDelta, call?: CallRecord): void {
    const length = deltaText(delta)?.length ?? 0;
    if (call) call.characters += length;
    this.#characters += length;
    this.#chunks += 1;
    if (this.#firstTokenAt === null) {
      this.#firstTokenAt = Date.now();
      this.options.onFirstToken?.();
    }
    this.options.onProgress();
    if (call) this.#warnNearLimit();
  }

  /** Says again what has been said. */
  replay(content: readonly ContentBlock[]): void {
    const { id, model } = this.options.generation;
    for (const part of partsOf(content, id, model)) this.write(part);
  }

  /** Goes back to what is kept, but not behind what it cost. */
  rewind(kept: readonly ContentBlock[], reason: string, repair = this.#state.repair): void {
    const { output, writer } = this.options;
    writer.reset(reason);
    output?.restart();
    this.#state = new StreamState();
    if (repair) this.write(repair);
    this.replay(kept);
    this.#characters = this.#state.figures.characters;
    writer.beginCall();
    writer.reportUsage(asCall(usageOfCalls(this.#calls)), true);
  }

  /** About how many tokens the call under way has written; without one, the answer. */
  get #writtenTokens(): number {
    return tokensOfCharacters(this.#calls.at(-1)?.characters ?? this.#characters);
  }

  /** Says once that it comes near the length at which it is cut off. */
  #warnNearLimit(): void {
    if (this.#isNearLimit || this.#writtenTokens < nearLimit * this.maxTokens) return;
    this.#isNearLimit = true;
    this.options.writer.warn(
      'near_token_limit',
      `About ${100 * nearLimit} % of the ${this.maxTokens} tokens that the answer may have are written.`,
    );
  }
}

/** The name of the tool that was called with this id: by the last call, should ids come again. */
function callName(content: readonly ContentBlock[], callId: string): string {
  const call = content.findLast((block) => block.type === 'tool_use' && block.id === callId);
  return call?.type === 'tool_use' ? call.name : '';
}
