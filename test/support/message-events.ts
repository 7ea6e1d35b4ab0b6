import type { MessageEvent } from '../../src/api/anthropic/tell-message.js';
import type { Person } from './person.js';

/** The events of a message, read as `GET /anthropic/v1/messages/<generation id>/events` gives them. */
export interface MessageEvents {
  readonly status: number;
  readonly types: readonly string[];
  /** What text deltas have brought, those before included. */
  readonly text: string;
  /** What a client would go on with. */
  readonly lastEventId: string | undefined;
  readonly error: object | undefined;
  /** Resolves when the text is this. */
  says(text: string): Promise<void>;
  /** Resolves when the stream has ended, in whichever way. */
  readonly over: Promise<void>;
  /** Leaves, as a client does whose connection is cut. */
  close(): void;
}

/** Reads until the stream ends; `from`: what was read on another connection, which is gone on from. */
export async function readMessageEvents(
  { url }: { url: string },
  { token }: Pick<Person, 'token'>,
  generationId: string,
  from?: Pick<MessageEvents, 'text' | 'lastEventId'>,
): Promise<MessageEvents> {
  const leaving = new AbortController();
  const after = from?.lastEventId;
  const response = await fetch(`${url}/anthropic/v1/messages/${generationId}/events`, {
    headers: { 'x-api-key': token, ...(after !== undefined && { 'last-event-id': after }) },
    signal: leaving.signal,
  });
  const types: string[] = [];
  let text = from?.text ?? '';
  let id = after;
  let error: object | undefined;
  let looks: (() => void)[] = [];
  const take = (frame: string) => {
    const fields = new Map(
      frame.split('\n').map((line) => [line.split(':', 1)[0], line.replace(/^\w*: /, '')]),
    );
    const event = JSON.parse(fields.get('data') ?? '{}') as MessageEvent | { type: 'ping' };
    id = fields.get('id') ?? id;
    if (event.type === 'ping') return;
    types.push(event.type);
    // What was read before it is void.
    if (event.type === 'message_start') text = '';
    if (event.type === 'error') error = event.error;
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text;
    for (const look of looks) look();
  };
  const read = async () => {
    let rest = '';
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const frames = (rest + piece).split('\n\n');
      rest = frames.pop() ?? '';
      for (const frame of frames) take(frame);
    }
  };
  const over = read().catch(() => undefined);
  return {
    status: response.status,
    over,
    get types() {
      return types;
    },
    get text() {
      return text;
    },
    get lastEventId() {
      return id;
    },
    get error() {
      return error;
    },
    says: (wanted) =>
      new Promise((resolve) => {
        const look = () => {
          if (text === wanted) resolve();
        };
        looks = [...looks, look];
        look();
      }),
    close: () => {
      leaving.abort();
    },
  };
}
