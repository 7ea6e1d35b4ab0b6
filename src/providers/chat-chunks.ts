import { randomUUID } from 'node:crypto';
import type { ApiUsage, Chunk, ContentDelta, ToolUseBlock } from '../domain/content.js';
import { BlockWriter } from './block-writer.js';

/** A piece of a chat completion, whichever SDK brought it. */
export interface ChatPiece {
  id: string;
  model: string;
  /** In their order. */
  parts: ChatPart[];
  /** There once, at the end; the usage may come with it or after it. */
  finishReason?: string | null;
  /** The stop sequence that was met, where the server tells. */
  stopSequence?: string | null;
  usage?: ApiUsage;
}

export type ChatPart =
  | { type: 'text' | 'refusal' | 'thinking'; text: string }
  | { type: 'signature'; signature: string }
  | { type: 'call'; index: number; id?: string; name?: string; json: string };

interface ChatChunksOptions {
  /** The prefill, for servers that may begin their answer with it. */
  repeated?: string;
  /** No thinking deltas. */
  omitThinking?: boolean;
}

/**
 * Turns the pieces of a chat completion into the chunks that the Messages API would bring. Throws a TypeError on pieces
 * that make no sense.
 */
export class ChatChunks {
  readonly #blocks = new BlockWriter();
  readonly #omitThinking: boolean;
  /** Which call an index stands for now: servers that do not count them give each the same. */
  readonly #calls = new Map<number, { id: string | undefined; key: string; block: ToolUseBlock }>();
  #callCount = 0;
  #repeated: string;
  #held = '';
  #started = false;
  #refused = false;
  #finishReason: string | undefined;
  #stopSequence: string | null = null;
  #usage: ApiUsage | undefined;
  #ended = false;

  constructor({ repeated = '', omitThinking = false }: ChatChunksOptions = {}) {
    this.#repeated = repeated;
    this.#omitThinking = omitThinking;
  }

  /** Nothing but the usage can still come. */
  get finished(): boolean {
    return this.#finishReason !== undefined;
  }

  /** The chunks of a piece, with those of the end once there is all of it. */
  *map({ id, model, parts, finishReason, stopSequence, usage }: ChatPiece): Iterable<Chunk> {
    if (this.#ended) return;
    if (!this.#started) {
      this.#started = true;
      yield messageStart(id, model);
    }
    for (const part of parts) yield* this.#part(part);
    this.#finishReason ??= finishReason ?? undefined;
    this.#stopSequence ??= stopSequence ?? null;
    this.#usage = usage ?? this.#usage;
    if (this.#finishReason !== undefined && this.#usage) yield* this.end();
  }

  /** The end of the stream: the end of the answer, if there was a finish reason, else nothing. */
  *end(): Iterable<Chunk> {
    if (this.#ended || this.#finishReason === undefined) return;
    this.#ended = true;
    yield* this.#text(this.#release());
    yield* this.#blocks.end();
    const delta = { stop_reason: this.#stopReason(this.#finishReason), stop_sequence: this.#stopSequence };
    yield { type: 'message_delta', delta, usage: this.#usage ?? {} };
    yield { type: 'message_stop' };
  }

  *#part(part: ChatPart): Iterable<Chunk> {
    switch (part.type) {
      case 'text':
        yield* this.#text(this.#withoutRepeated(part.text));
        return;
      case 'refusal':
        this.#refused ||= part.text !== '';
        yield* this.#text(part.text);
        return;
      case 'thinking':
        if (part.text && !this.#omitThinking)
          yield* this.#thinking({ type: 'thinking_delta', thinking: part.text });
        return;
      case 'signature':
        yield* this.#thinking({ type: 'signature_delta', signature: part.signature });
        return;
      case 'call':
        yield* this.#text(this.#release());
        yield* this.#call(part);
        return;
    }
  }

  #text(text: string): Iterable<Chunk> {
    if (!text) return [];
    return this.#blocks.write('text', { type: 'text', text: '' }, { type: 'text_delta', text });
  }

  #thinking(delta: ContentDelta): Iterable<Chunk> {
    return this.#blocks.write('thinking', { type: 'thinking', thinking: '', signature: '' }, delta);
  }

  #call({ index, id, name, json }: Extract<ChatPart, { type: 'call' }>): Iterable<Chunk> {
    let call = this.#calls.get(index);
    if (!call || (id && call.id && id !== call.id)) {
      if (!name) throw new TypeError('A tool call has no name.');
      this.#callCount += 1;
      const blockId = id ?? `call_${randomUUID().replaceAll('-', '')}`;
      const block: ToolUseBlock = { type: 'tool_use', id: blockId, name, input: {} };
      call = { id, key: `call ${this.#callCount}`, block };
      this.#calls.set(index, call);
    }
    const delta: ContentDelta = { type: 'input_json_delta', partial_json: json };
    return this.#blocks.write(call.key, call.block, json ? delta : undefined);
  }

  /**
   * Holds text back as long as it is the prefill once more, and drops it where it is all of it, with or without the
   * white space at its end.
   */
  #withoutRepeated(text: string): string {
    if (!this.#repeated) return text;
    this.#held += text;
    const compared = Math.min(this.#held.length, this.#repeated.length);
    if (this.#held.slice(0, compared) === this.#repeated.slice(0, compared)) {
      if (compared < this.#repeated.length) return '';
      const rest = this.#held.slice(compared);
      this.#held = this.#repeated = '';
      return rest;
    }
    return this.#release();
  }

  #release(): string {
    const [held, repeated] = [this.#held, this.#repeated.trimEnd()];
    this.#held = this.#repeated = '';
    return repeated && held.startsWith(repeated) ? held.slice(repeated.length).trimStart() : held;
  }

  #stopReason(finishReason: string): string {
    if (this.#refused) return 'refusal';
    if (this.#stopSequence !== null) return 'stop_sequence';
    switch (finishReason) {
      case 'stop':
        // Some servers end a call of a tool like a text.
        return this.#callCount > 0 ? 'tool_use' : 'end_turn';
      case 'tool_calls':
      case 'function_call':
        return 'tool_use';
      case 'length':
        return 'max_tokens';
      case 'model_length':
        return 'model_context_window_exceeded';
      case 'content_filter':
        return 'refusal';
      default:
        return finishReason;
    }
  }
}

function messageStart(id: string, model: string): Chunk {
  return {
    type: 'message_start',
    message: {
      id,
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      // Chat completions tell it at their end.
      usage: { input_tokens: 0, output_tokens: 0 },
    },
  };
}
