import { noCursor } from '../../wire/cursor.js';
import type { GenerationEvent, StreamDialect } from '../../wire/stream-dialect.js';
import { anthropicError } from './anthropic-errors.js';
import { startTelling, tellMessage, type MessageEvent, type Telling } from './tell-message.js';

interface MessageStreamOptions extends Telling {
  /** The client goes on from a cursor. */
  follows: boolean;
}

/** The stream of one generation as the Messages API tells it; the ids of its events are cursors. */
export class MessageStream implements StreamDialect {
  readonly heartbeat = 'event: ping\ndata: {"type": "ping"}\n\n';
  readonly #to: Telling;
  #state;

  constructor({ follows, ...to }: MessageStreamOptions) {
    this.#to = to;
    this.#state = startTelling(follows);
  }

  get over(): boolean {
    return this.#state.over;
  }

  tell(event: GenerationEvent): string {
    const { state, events } = tellMessage(this.#state, event, this.#to);
    this.#state = state;
    const last = events.length - 1;
    // Who comes back with the id of an event has all that was told up to it, and no more; else from the beginning.
    return events
      .map((each, at) => encode(each, at === last && state.exact ? event.cursor : noCursor))
      .join('');
  }

  /** Clients take a broken connection for one; an orderly end would be the answer's to some. */
  farewell(reason?: 'session.expired'): string | undefined {
    if (this.over) return '';
    if (!reason) return undefined;
    return encode(anthropicError('authentication_error', 'The token has expired.', this.#to.requestId));
  }
}

const encode = (event: MessageEvent, id?: string): string =>
  `event: ${event.type}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(event)}\n\n`;
