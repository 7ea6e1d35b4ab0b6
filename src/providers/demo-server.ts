import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { demoAnswer } from './demo-answer.js';
import { demoEvents, demoMessage } from './demo-events.js';
import { demoRequestSchema, type DemoRequest } from './demo-request.js';

const maxBodyBytes = 32 * 1024 * 1024;
const slowTokensPerSecond = 8;
const pingIntervalMs = 10_000;
/** After so many tokens at full speed others get a turn. */
const tokensPerTurn = 64;

export interface DemoServer {
  /** Its root, without `/v1`. */
  readonly url: string;
  /** Ends all connections at once. */
  close(): Promise<void>;
}

export interface DemoServerSettings {
  /** Speed of every model but `demo-fast` (no limit) and `demo-slow`. */
  tokensPerSecond: number;
}

/** Starts a server on 127.0.0.1, on a free port, that answers `POST /v1/messages` as Anthropic's does. */
export async function startDemoServer({ tokensPerSecond }: DemoServerSettings): Promise<DemoServer> {
  const server = createServer((request, response) => {
    const gone = new AbortController();
    response.on('close', () => {
      gone.abort();
    });
    answer(request, response, tokensPerSecond, gone.signal).catch((error: unknown) => {
      if (!gone.signal.aborted) refuse(response, error);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  tokensPerSecond: number,
  gone: AbortSignal,
): Promise<void> {
  const request = await read(incoming);
  const said = demoAnswer(request);
  const pace = new Pace(speedOf(request.model, tokensPerSecond), gone);
  response.setHeader('request-id', `req_demo_${Date.now().toString(36)}`);
  if (!request.stream) {
    const { message, tokens } = demoMessage(request, said);
    await pace.wait(tokens);
    sendJson(response, 200, message);
    return;
  }

  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  const pings = setInterval(() => {
    send(response, { type: 'ping' });
  }, pingIntervalMs);
  try {
    for (const { event, tokens } of demoEvents(request, said)) {
      if (tokens) await pace.wait(tokens);
      if (!send(response, event)) await once(response, 'drain', { signal: gone });
    }
    response.end();
  } finally {
    clearInterval(pings);
  }
}

/** Waits until tokens are due; by the clock, so that late timers do not add up. */
class Pace {
  readonly #startedMs = performance.now();
  #tokens = 0;

  constructor(
    readonly tokensPerSecond: number,
    readonly signal: AbortSignal,
  ) {}

  async wait(tokens: number): Promise<void> {
    this.#tokens += tokens;
    const waitMs = this.#startedMs + (this.#tokens / this.tokensPerSecond) * 1000 - performance.now();
    if (waitMs >= 1) await sleep(waitMs, undefined, { signal: this.signal });
    else if (this.#tokens % tokensPerTurn === 0) await nextTurn(undefined, { signal: this.signal });
  }
}

function speedOf(model: string, tokensPerSecond: number): number {
  switch (model) {
    case 'demo-fast':
      return Infinity;
    case 'demo-slow':
      return slowTokensPerSecond;
    default:
      return tokensPerSecond;
  }
}

/** A request that is refused, with the type of error that Anthropic has for it. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    message: string,
  ) {
    super(message);
  }
}

async function read(incoming: IncomingMessage): Promise<DemoRequest> {
  const path = new URL(incoming.url ?? '/', 'http://demo').pathname;
  if (path !== '/v1/messages') throw new Refusal(404, 'not_found_error', `There is no ${path} here.`);
  if (incoming.method !== 'POST')
    throw new Refusal(405, 'invalid_request_error', 'Only POST is allowed here.');
  const { authorization, 'x-api-key': apiKey } = incoming.headers;
  if (!apiKey && !authorization) throw new Refusal(401, 'authentication_error', 'An API key is required');
  const body = await json(incoming);
  const request = demoRequestSchema.safeParse(body);
  if (!request.success) throw new Refusal(400, 'invalid_request_error', describe(request.error));
  const { model } = request.data;
  if (!model.startsWith('demo')) throw new Refusal(404, 'not_found_error', `model: ${model}`);
  return request.data;
}

async function json(incoming: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  // A body that is too large is read to its end all the same, else the connection could not serve the next call.
  for await (const part of incoming as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes <= maxBodyBytes) parts.push(part);
  }
  if (bytes > maxBodyBytes) throw new Refusal(413, 'request_too_large', 'Request exceeds the maximum size');
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw new Refusal(400, 'invalid_request_error', 'The request body is not valid JSON');
  }
}

function describe({ issues: [issue] }: z.ZodError): string {
  return issue ? `${issue.path.join('.')}: ${issue.message}` : 'invalid request';
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, type, message } =
    error instanceof Refusal ? error : new Refusal(500, 'api_error', 'Internal server error');
  sendJson(response, status, { type: 'error', error: { type, message } });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** False: the client reads more slowly than we write. */
function send(response: ServerResponse, event: { type: string }): boolean {
  return response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}
