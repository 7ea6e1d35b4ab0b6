import { EventSourceParserStream } from 'eventsource-parser/stream';
import { TokencastHttp, type RoomEvent } from '../src/client/index.js';

/** Root of a running server. */
export const url = process.env.TOKENCAST_URL ?? 'http://127.0.0.1:3000';

/** Takes a session: `http` has a method for each route, `events` the events of an event stream until it ends. */
export async function signIn(name: string) {
  const { token, user } = await new TokencastHttp({ baseUrl: url }).createSession(name);
  return {
    user,
    token,
    http: new TokencastHttp({ baseUrl: url, getToken: () => token }),
    events: (path: string) => readEvents(path, token),
  };
}

async function* readEvents(path: string, token: string): AsyncGenerator<RoomEvent> {
  const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok || !response.body) throw new Error(`${path} answered ${response.status}`);
  const frames = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  for await (const { data } of frames) if (data) yield JSON.parse(data) as RoomEvent;
}

/** The text that an event adds to an answer. */
export function textIn(event: RoomEvent): string {
  if (event.type !== 'generation.chunk' || event.chunk.type !== 'content_block_delta') return '';
  return event.chunk.delta.type === 'text_delta' ? event.chunk.delta.text : '';
}
