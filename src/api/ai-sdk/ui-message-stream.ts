import type { GenerationEvent, StreamDialect } from '../../wire/stream-dialect.js';
import { startTelling, tellEvent, type EarlierPart } from './tell-event.js';
import type { UiChunk } from './ui-chunk.js';

/** Tells clients what the stream is, see https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol. */
export const uiMessageStreamHeaders = { 'x-vercel-ai-ui-message-stream': 'v1' };

interface UiMessageStreamOptions {
  messageId: string;
  earlier?: readonly EarlierPart[];
}

/** The stream of one generation as `useChat` reads it: frames without event or id, and `[DONE]` behind the last. */
export class UiMessageStream implements StreamDialect {
  readonly heartbeat = ': \n\n';
  #state;

  constructor({ messageId, earlier = [] }: UiMessageStreamOptions) {
    this.#state = startTelling(messageId, earlier);
  }

  get over(): boolean {
    return this.#state.over;
  }

  tell(event: GenerationEvent): string {
    const { state, chunks } = tellEvent(this.#state, event);
    const isLast = state.over && !this.#state.over;
    this.#state = state;
    return chunks.map(encode).join('') + (isLast ? done : '');
  }

  /** Clients take a broken connection for one, and resume; an orderly end would be the answer's to them. */
  farewell(reason?: 'session.expired'): string | undefined {
    if (this.over) return '';
    return reason && encode({ type: 'error', errorText: 'The token has expired.' }) + done;
  }
}

const encode = (chunk: UiChunk): string => `data: ${JSON.stringify(chunk)}\n\n`;

const done = 'data: [DONE]\n\n';
