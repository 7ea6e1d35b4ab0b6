import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { startScriptedServer, type ScriptedServer } from './upstream-server.js';

/** The body of `POST /v1/chat/completions`. */
export interface ChatBody {
  model: string;
  messages: { role: string; content?: unknown; [key: string]: unknown }[];
  stream?: boolean;
  [key: string]: unknown;
}

/** Starts a server that speaks OpenAI's chat completions. */
export function startOpenaiUpstream(): Promise<ScriptedServer<ChatRequest>> {
  return startScriptedServer({
    accept: (body, headers, response) => new ChatRequest(body as ChatBody, headers, response),
  });
}

interface WholeCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

/** The words of chat completions for the stop reasons of the Messages API. */
const finishReasons: Record<string, string> = {
  end_turn: 'stop',
  max_tokens: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

/**
 * One request and its answer, which waits for the test. The methods that write return the request, and do nothing once
 * it has ended. A request that did not ask for a stream gets the same as one message, with `stop`.
 */
export class ChatRequest {
  /** The connection was closed before the answer had ended; when, on the clock of `performance.now()`. */
  readonly closed: Promise<number>;
  /** Tells connections apart. */
  readonly clientPort: number | undefined;
  readonly #id = `chatcmpl-${Math.random().toString(36).slice(2)}`;
  readonly #response: ServerResponse;
  #text = '';
  #thinking = '';
  readonly #calls: WholeCall[] = [];

  constructor(
    readonly body: ChatBody,
    readonly headers: IncomingHttpHeaders,
    response: ServerResponse,
  ) {
    this.#response = response;
    this.clientPort = response.socket?.remotePort;
    this.closed = new Promise((resolve) => {
      response.once('close', () => {
        if (!response.writableFinished) resolve(performance.now());
      });
    });
  }

  /** The answer has ended, or the connection is closed. */
  get ended(): boolean {
    return this.#response.writableEnded || this.#response.destroyed;
  }

  /** Sends the status and headers alone. */
  hang(headers: Record<string, string> = {}): this {
    if (this.ended || this.#response.headersSent || !this.body.stream) return this;
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'x-request-id': `req_${this.#id}`,
      ...headers,
    });
    this.#response.flushHeaders();
    return this;
  }

  /** The first piece, which says nothing but the role. */
  start({ headers }: { headers?: Record<string, string> } = {}): this {
    return this.hang(headers).delta({ role: 'assistant', content: '' });
  }

  text(text: string): this {
    this.#text += text;
    return this.delta({ content: text });
  }

  thinking(thinking: string): this {
    this.#thinking += thinking;
    return this.delta(this.thinkingDelta(thinking));
  }

  /** A whole call of a tool, its input in these pieces. */
  call(id: string, name: string, ...json: string[]): this {
    const index = this.#calls.length;
    this.#calls.push({ id, type: 'function', function: { name, arguments: json.join('') } });
    for (const delta of this.callDeltas(index, id, name, json)) this.delta({ tool_calls: [delta] });
    return this;
  }

  /** Any delta. */
  delta(delta: Record<string, unknown>): this {
    return this.chunk({ choices: [{ index: 0, delta, finish_reason: null }] });
  }

  /** Any piece, known or not. */
  chunk(fields: Record<string, unknown>): this {
    return this.data({ ...this.#head('chat.completion.chunk'), ...fields });
  }

  /** Any event. */
  data(data: unknown): this {
    if (!this.body.stream) return this;
    return this.raw(`data: ${JSON.stringify(data)}\n\n`);
  }

  /** Any bytes. */
  raw(bytes: string | Uint8Array): this {
    this.hang();
    if (!this.ended) this.#response.write(bytes);
    return this;
  }

  /** The orderly end; `outputTokens` null: no usage. */
  stop({ stopReason = 'end_turn', outputTokens = 20, choice = {} }: StopOptions = {}): this {
    const finish = { index: 0, finish_reason: finishReasons[stopReason] ?? stopReason, ...choice };
    const usage = outputTokens === null ? undefined : usageOf(outputTokens);
    if (this.body.stream) return this.finish(finish, usage).raw('data: [DONE]\n\n').end();
    const message = {
      role: 'assistant',
      ...(this.#thinking ? this.wholeThinking(this.#thinking, this.#text) : { content: this.#text || null }),
      ...(this.#calls.length && { tool_calls: this.#calls }),
    };
    const choices = [{ ...finish, message }];
    return this.#json(200, { ...this.#head('chat.completion'), choices, usage });
  }

  /** The end of the stream as it stands: without `stop` before, an answer that ends too early. */
  end(): this {
    if (!this.ended) this.#response.end();
    return this;
  }

  /** Breaks the connection. */
  cut(): this {
    this.#response.destroy();
    return this;
  }

  /** Instead of an answer: an HTTP status, with a body in the provider's form unless another is given. */
  fail(status: number, body: unknown = this.errorBody(status), headers: Record<string, string> = {}): this {
    return this.#json(status, body, headers);
  }

  protected thinkingDelta(thinking: string): Record<string, unknown> {
    return { reasoning_content: thinking };
  }

  protected wholeThinking(thinking: string, text: string): Record<string, unknown> {
    return { reasoning_content: thinking, content: text };
  }

  /** OpenAI names a call once, and goes on by its index. */
  protected callDeltas(index: number, id: string, name: string, json: string[]): unknown[] {
    const first = { index, id, type: 'function', function: { name, arguments: '' } };
    return [first, ...json.map((piece) => ({ index, function: { arguments: piece } }))];
  }

  /** OpenAI tells the usage in a piece of its own. */
  protected finish(finish: Record<string, unknown>, usage: unknown): this {
    this.chunk({ choices: [{ ...finish, delta: {} }], usage: null });
    return usage ? this.chunk({ choices: [], usage }) : this;
  }

  protected errorBody(status: number): unknown {
    return { error: { message: `failed with ${status}`, type: 'some_error', param: null, code: null } };
  }

  #json(status: number, body: unknown, headers: Record<string, string> = {}): this {
    if (this.ended) return this;
    this.#response.writeHead(status, {
      'content-type': 'application/json',
      'x-request-id': `req_${this.#id}`,
      ...headers,
    });
    this.#response.end(typeof body === 'string' ? body : JSON.stringify(body));
    return this;
  }

  #head(object: string) {
    return { id: this.#id, object, created: 1_700_000_000, model: this.body.model };
  }
}

interface StopOptions {
  /** In the words of the Messages API. */
  stopReason?: string;
  outputTokens?: number | null;
  /** What else the choice holds. */
  choice?: Record<string, unknown>;
}

function usageOf(outputTokens: number) {
  return {
    prompt_tokens: 12,
    completion_tokens: outputTokens,
    total_tokens: 12 + outputTokens,
    prompt_tokens_details: { cached_tokens: 2 },
  };
}
