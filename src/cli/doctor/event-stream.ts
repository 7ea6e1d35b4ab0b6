import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { hasEnded, TokencastError, TokencastHttp, type Generation } from '../../client/index.js';
import { broken, hint, ok, type Finding } from './finding.js';
import { reasonOf } from './reason-of.js';

/** How long the first event, and the last one after the answer has ended, may take. */
const eventWithinMs = 4000;
const answerWithinMs = 30_000;
const beginWithinMs = 10_000;
const pollMs = 200;

/** A stream whose events come so much later than its fastest ones is being held up. */
const lateMs = 1000;

/** A machine that is busy may hold a stream up once; what is in the way does so every time. */
const maxTries = 2;

const model = 'demo';
/** About two seconds' worth. */
const maxTokens = 120;

interface Seen {
  type: string;
  generationId: string | undefined;
  /** When the server wrote it, and when it came here, each on its own clock. */
  at: number;
  arrivedAt: number;
}

/** Has the demo model answer in a conversation of its own, watches by an event stream, and looks when its events come. */
export async function checkEventStream({ url, token }: { url: string; token: string }): Promise<Finding[]> {
  const http = new TokencastHttp({ baseUrl: url, getToken: () => token });
  let conversationId: string | undefined;
  const over = new AbortController();
  try {
    conversationId = (await http.createConversation({ title: 'tokencast doctor' })).id;
    const address = `${url}/v1/conversations/${conversationId}/events`;
    const stream = new WatchedStream(address, token, over.signal);
    // Of a stream that is held back there is not even a head: who is in front says another answer.
    stream.headers = (await fetch(`${url}/healthz`)).headers;
    const first = await stream.first();
    if (first) return first;
    for (let tries = 1; ; tries += 1) {
      const { generation } = await http.sendMessage(conversationId, {
        content: 'Is anything in the way?',
        generate: { model, maxTokens },
      });
      if (!generation) throw new Error('the server has not begun an answer');
      const finding = await judge(stream, await ended(http, generation.id));
      if (finding.level === 'ok' || tries === maxTries) return [finding];
    }
  } catch (error) {
    if (error instanceof TokencastError && error.code === 'unsupported_model')
      return [hint('The server has no demo model, so streams were not measured', error.message)];
    return [broken(`Event streams were not looked at: ${reasonOf(error)}`, 'See the server’s log.')];
  } finally {
    over.abort();
    if (conversationId !== undefined) await http.deleteConversation(conversationId).catch(() => undefined);
  }
}

/** The generation when it has ended, or when that takes too long. */
async function ended(http: TokencastHttp, id: string): Promise<Generation> {
  const from = Date.now();
  for (;;) {
    const generation = await http.getGeneration(id);
    const isBegun = generation.status !== 'queued' && generation.status !== 'waiting';
    const patienceMs = isBegun ? answerWithinMs : beginWithinMs;
    if (hasEnded(generation.status) || Date.now() - from > patienceMs) return generation;
    await sleep(pollMs);
  }
}

async function judge(stream: WatchedStream, { id, status, error }: Generation): Promise<Finding> {
  if (status === 'queued' || status === 'waiting')
    return broken(
      'No answer begins: no worker takes it',
      'Start one (npm run start:worker), with the same stores.',
    );
  if (status !== 'completed')
    return broken(
      `The demo model’s answer is ${status}: ${error?.message ?? 'no reason'}`,
      'See the worker’s log.',
    );
  const isOf = (event: Seen) => event.generationId === id;
  const isWhole = await stream.until(
    (event) => event.type === 'generation.completed' && isOf(event),
    eventWithinMs,
  );
  if (!isWhole)
    return heldUp(
      'Event streams are held up: the answer has ended, and its text has not come',
      stream.headers,
    );
  const lags = stream.seen
    .filter((event) => event.type === 'generation.chunk' && isOf(event))
    .map(({ at, arrivedAt }) => arrivedAt - at);
  const latestMs = Math.max(...lags) - Math.min(...lags);
  if (latestMs > lateMs)
    return heldUp(
      `Event streams come in lumps: text came up to ${(latestMs / 1000).toFixed(1)} s late`,
      stream.headers,
    );
  return ok(`Event streams come as they are written: ${lags.length} pieces of text, none late`);
}

/** An event stream, and when its events came. */
class WatchedStream {
  readonly seen: Seen[] = [];
  headers = new Headers();
  #response: Promise<Response>;
  #wake: () => void = () => undefined;

  constructor(address: string, token: string, signal: AbortSignal) {
    this.#response = fetch(address, {
      // A browser's EventSource asks for the same; a proxy that compresses what it may would here.
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'text/event-stream',
        'accept-encoding': 'gzip, br',
      },
      signal,
    });
    this.#read().catch(() => undefined);
  }

  /** What is wrong with its beginning; undefined: nothing. */
  async first(): Promise<Finding[] | undefined> {
    const isThere = await this.until(() => true, eventWithinMs);
    if (this.headers.get('content-encoding') !== null)
      return [
        broken(
          `Event streams are compressed (${this.headers.get('content-encoding') ?? ''}) by something in between`,
          'Its compressor holds text back: leave text/event-stream out of what is compressed.',
        ),
      ];
    if (isThere) return undefined;
    return [heldUp('Event streams are held up: not even their first event comes', this.headers)];
  }

  /** Whether such an event has come, or comes in time. */
  async until(isMeant: (event: Seen) => boolean, withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    while (!this.seen.some(isMeant)) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return false;
      const over = new AbortController();
      const more = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([more, sleep(leftMs, undefined, { signal: over.signal }).catch(() => undefined)]);
      over.abort();
    }
    return true;
  }

  async #read(): Promise<void> {
    const response = await this.#response;
    this.headers = response.headers;
    const parser = createParser({
      onEvent: ({ event = '', data }) => {
        const { at, generationId } = JSON.parse(data) as { at: string; generationId?: string };
        this.seen.push({ type: event, generationId, at: Date.parse(at), arrivedAt: Date.now() });
      },
    });
    const decoder = new TextDecoder();
    if (!response.body) return;
    for await (const piece of response.body) {
      parser.feed(decoder.decode(piece, { stream: true }));
      this.#wake();
    }
  }
}

/** What to do about a proxy that buffers, by the name that it gives itself. */
const cures: readonly [name: RegExp, cure: string][] = [
  [
    /nginx|openresty/i,
    'nginx: proxy_buffering off and gzip off for text/event-stream: ops/nginx/tokencast.conf',
  ],
  [/caddy/i, 'Caddy: flush_interval -1, and no encode for text/event-stream: ops/caddy/Caddyfile'],
  [/apache/i, 'Apache: flushpackets=on, and no mod_deflate for text/event-stream: ops/apache/tokencast.conf'],
  [/cloudflare/i, 'Cloudflare: a rule that leaves the cache, and no response buffering, for /v1/*'],
];

function heldUp(what: string, headers: Headers): Finding {
  const name = [headers.get('server'), headers.get('via')].filter(Boolean).join(', ');
  const cure = cures.find(([pattern]) => pattern.test(name))?.[1];
  const rest =
    'Let the proxy pass every piece of text/event-stream on at once: ops/, docs/troubleshooting.md.';
  return broken(
    `${what}${name === '' ? '' : ` (in front: ${name})`}`,
    cure === undefined ? rest : `${cure}. ${rest}`,
  );
}
