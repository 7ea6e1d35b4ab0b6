import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startScriptedServer, type ScriptedServer } from './upstream-server.js';

/** What is asked of the model: the body of `POST /v1/messages`. */
export interface UpstreamBody {
  model: string;
  max_tokens: number;
  messages: { role: 'user' | 'assistant'; content: string | UpstreamBlock[] }[];
  system?: string | UpstreamBlock[];
  stream?: boolean;
  [key: string]: unknown;
}

export interface UpstreamBlock {
  type: string;
  text?: string;
  [key: string]: unknown;
}

/** The pieces of text that answer a request, each sent as one delta. */
export type Answer = (body: UpstreamBody) => AsyncIterable<string> | Iterable<string>;

/** A model under full control of the test: a local server that speaks Anthropic's wire format. */
export interface Upstream extends ScriptedServer<UpstreamRequest> {
  /** Answers further requests by itself: with a text (going on from a prefill), or with what the function makes. */
  answerWith(answer: string | Answer, options?: { delayMs?: number }): void;
  /** Leaves further requests to the test again, as at the start. */
  answerByHand(): void;
}

/** Starts an upstream on 127.0.0.1, on a free port unless one is given. */
export async function startUpstream({ port = 0 }: { port?: number } = {}): Promise<Upstream> {
  let automatic: { answer: Answer; delayMs: number } | undefined;
  const server = await startScriptedServer({
    port,
    accept: (body, headers, response) => new UpstreamRequest(body as UpstreamBody, headers, response),
    async accepted(request) {
      if (automatic) await play(request, automatic.answer, automatic.delayMs);
    },
  });
  return Object.assign(server, {
    answerWith(answer: string | Answer, { delayMs = 0 }: { delayMs?: number } = {}) {
      automatic = { answer: typeof answer === 'string' ? continuing(answer) : answer, delayMs };
    },
    answerByHand() {
      automatic = undefined;
    },
  });
}

/** Always the same text, in pieces of `size` characters; with a prefill of it, only what comes after the prefill. */
export function continuing(text: string, size = 4): Answer {
  return function* (body) {
    const prefill = prefillOf(body);
    const rest = text.startsWith(prefill) ? text.slice(prefill.length) : text;
    const characters = Array.from(rest);
    for (let at = 0; at < characters.length; at += size) yield characters.slice(at, at + size).join('');
  };
}

/** The text that the request wants the model to go on from. */
function prefillOf({ messages }: UpstreamBody): string {
  const last = messages.at(-1);
  if (last?.role !== 'assistant') return '';
  return typeof last.content === 'string' ? last.content : last.content.map(({ text = '' }) => text).join('');
}

async function play(request: UpstreamRequest, answer: Answer, delayMs: number): Promise<void> {
  request.start();
  for await (const piece of answer(request.body)) {
    if (delayMs) await sleep(delayMs);
    if (request.ended) return;
    request.text(piece);
  }
  request.stop();
}

/**
 * One request and its answer, which waits for the test. The methods that write return the request, begin the answer
 * and its blocks where that has not been done, and do nothing once it has ended. A request that did not ask for a
 * stream gets the same as one message, with `stop`.
 */
export class UpstreamRequest {
  /** When it came, on the clock of `performance.now()`. */
  readonly receivedAtMs = performance.now();
  /** The connection was closed before the answer had ended; when, on the clock of `performance.now()`. */
  readonly closed: Promise<number>;
  /** Tells connections apart. */
  readonly clientPort: number | undefined;

  readonly #response: ServerResponse;
  readonly #content: UpstreamBlock[] = [];
  #usage: Usage = { input_tokens: 10, output_tokens: 0 };
  #id = `msg_${Math.random().toString(36).slice(2)}`;
  #blockIsOpen = false;
  #started = false;

  constructor(
    readonly body: UpstreamBody,
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

  /** Sends the status and headers, and no event: a model that says nothing. Without it there is not even an answer. */
  hang(headers: Record<string, string> = {}): this {
    if (this.ended || this.#response.headersSent || !this.body.stream) return this;
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'request-id': `req_${this.#id}`,
      ...headers,
    });
    this.#response.flushHeaders();
    return this;
  }

  /** `message_start`. */
  start({ inputTokens = 10, usage, id = this.#id, headers }: StartOptions = {}): this {
    if (this.#started) return this;
    this.#started = true;
    this.#id = id;
    this.#usage = { input_tokens: inputTokens, output_tokens: 1, ...usage };
    this.hang(headers);
    return this.event('message_start', { message: { ...this.#message(), content: [] } });
  }

  /** A piece of the text; begins a text block where none is open. */
  text(text: string): this {
    return this.#deltaOf({ type: 'text', text: '' }, { type: 'text_delta', text });
  }

  /** A piece of thinking; begins a thinking block where none is open. */
  thinking(thinking: string): this {
    const block = { type: 'thinking', thinking: '', signature: '' };
    return this.#deltaOf(block, { type: 'thinking_delta', thinking });
  }

  /** A whole call of a tool, its input in these pieces. */
  call(id: string, name: string, ...json: string[]): this {
    const input: unknown = this.body.stream ? {} : JSON.parse(json.join(''));
    this.block({ type: 'tool_use', id, name, input });
    for (const piece of json) this.delta({ type: 'input_json_delta', partial_json: piece });
    return this;
  }

  /** Begins a block of any kind, ending the one before. */
  block(block: UpstreamBlock): this {
    this.start().blockStop();
    this.#blockIsOpen = true;
    this.#content.push({ ...block });
    return this.event('content_block_start', { index: this.#content.length - 1, content_block: block });
  }

  /** Any delta, in the block that is open. */
  delta(delta: Record<string, unknown>): this {
    const block = this.#content.at(-1) ?? { type: 'none' };
    for (const [key, piece] of Object.entries(delta)) {
      const before = block[key];
      if (typeof before === 'string' && typeof piece === 'string' && key !== 'type')
        block[key] = before + piece;
    }
    this.#usage.output_tokens += 1;
    return this.event('content_block_delta', { index: this.#content.length - 1, delta });
  }

  /** Ends the block that is open, if one is. */
  blockStop(): this {
    if (!this.#blockIsOpen) return this;
    this.#blockIsOpen = false;
    return this.event('content_block_stop', { index: this.#content.length - 1 });
  }

  ping(): this {
    return this.event('ping');
  }

  /** Any event, known or not. */
  event(type: string, fields: Record<string, unknown> = {}): this {
    if (!this.body.stream) return this;
    return this.raw(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
  }

  /** Any bytes. */
  raw(bytes: string | Uint8Array): this {
    this.hang();
    if (!this.ended) this.#response.write(bytes);
    return this;
  }

  /** An `error` event, such as `{type: 'overloaded_error', message: 'Overloaded'}`, and the end of the stream. */
  error(error: { type: string; message: string }): this {
    return this.event('error', { error }).end();
  }

  /** The orderly end: `message_delta` and `message_stop`. */
  stop({ stopReason = 'end_turn', stopSequence = null, outputTokens }: StopOptions = {}): this {
    this.start().blockStop();
    this.#usage.output_tokens = outputTokens ?? this.#usage.output_tokens;
    const delta = { stop_reason: stopReason, stop_sequence: stopSequence };
    if (!this.body.stream) return this.#json(200, { ...this.#message(), ...delta, content: this.#content });
    return this.event('message_delta', { delta, usage: this.#usage }).event('message_stop').end();
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

  /** Instead of an answer: an HTTP status, with a body in Anthropic's form unless another is given. */
  fail(status: number, body: unknown = errorBody(status), headers: Record<string, string> = {}): this {
    return this.#json(status, body, headers);
  }

  #deltaOf(block: UpstreamBlock, delta: Record<string, unknown>): this {
    this.start();
    const open = this.#blockIsOpen ? this.#content.at(-1) : undefined;
    if (open?.type !== block.type) this.block(block);
    return this.delta(delta);
  }

  #json(status: number, body: unknown, headers: Record<string, string> = {}): this {
    if (this.ended) return this;
    const requestId = `req_${this.#id}`;
    this.#response.writeHead(status, {
      'content-type': 'application/json',
      'request-id': requestId,
      ...headers,
    });
    this.#response.end(typeof body === 'string' ? body : JSON.stringify(body));
    return this;
  }

  #message() {
    return {
      id: this.#id,
      type: 'message',
      role: 'assistant',
      model: this.body.model,
      stop_reason: null,
      stop_sequence: null,
      usage: this.#usage,
    };
  }
}

interface Usage {
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens?: number;
  cache_creation_input_tokens?: number;
}

interface StartOptions {
  inputTokens?: number;
  /** What else it has used. */
  usage?: Partial<Usage>;
  id?: string;
  headers?: Record<string, string>;
}

interface StopOptions {
  stopReason?: string;
  stopSequence?: string | null;
  /** By default one for each delta. */
  outputTokens?: number;
}

function errorBody(status: number) {
  const types: Record<number, string> = {
    400: 'invalid_request_error',
    401: 'authentication_error',
    403: 'permission_error',
    404: 'not_found_error',
    413: 'request_too_large',
    429: 'rate_limit_error',
    529: 'overloaded_error',
  };
  return { type: 'error', error: { type: types[status] ?? 'api_error', message: `failed with ${status}` } };
}
