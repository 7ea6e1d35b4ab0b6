import type { AnySnapshot } from '../wire/room-events.js';
import type { Room } from '../wire/room.js';
import { TokencastHttp } from './http.js';
import type { RequestOptions } from './http-types.js';
import type { LineMaker } from './ladder.js';
import { transports, type Transport } from './line.js';
import { PollLine } from './poll-line.js';
import { SocketLine } from './socket-line.js';
import { StreamLine } from './stream-line.js';

/** A room, and where its snapshots come from where its log cannot be followed. */
export interface WatchedRoom<Snapshot extends AnySnapshot> {
  readonly room: Room;
  /** Of its event stream; default: the room's. */
  readonly eventsPath?: string;
  readonly look: (http: TokencastHttp, options: RequestOptions) => Promise<Snapshot>;
}

export interface LineOptions {
  /** Root of the server; default: the page's own. */
  url: string;
  getToken: () => string | null;
  fetch: typeof fetch;
  /** The ways that may be used, the best first. Default: `websocket`, `sse`, `polling`. */
  transports: readonly Transport[];
  /** How long an unanswered connect, join or request is waited for. Default 10,000 ms. */
  timeoutMs: number;
  /** How long an event stream may bring nothing, before it passes for held back by a proxy. Default 5,000 ms. */
  firstByteMs: number;
  /** How often is asked where nothing else works. Default 1,000 ms. */
  pollMs: number;
}

/** How the room can be watched, the best way first. */
export function lineMakers<Snapshot extends AnySnapshot>(
  { room, eventsPath = `/v1/events?room=${encodeURIComponent(room)}`, look }: WatchedRoom<Snapshot>,
  options: Partial<LineOptions> & Pick<LineOptions, 'getToken'>,
): LineMaker<Snapshot>[] {
  const { url, getToken, timeoutMs = 10_000, firstByteMs = 5_000, pollMs = 1_000 } = options;
  const baseUrl = url?.replace(/\/+$/, '') ?? '';
  const fetch: typeof globalThis.fetch = (input, init) => (options.fetch ?? globalThis.fetch)(input, init);
  const http = new TokencastHttp({ baseUrl, getToken, fetch });
  const makers: Record<Transport, LineMaker<Snapshot>> = {
    websocket: (listener) => new SocketLine({ room, url, getToken, timeoutMs }, listener),
    sse: (listener) => new StreamLine({ url: baseUrl + eventsPath, getToken, fetch, firstByteMs }, listener),
    polling: (listener) =>
      new PollLine({ pollMs, look: (signal) => look(http, { signal, timeoutMs }) }, listener),
  };
  return (options.transports ?? transports).map((transport) => makers[transport]);
}
