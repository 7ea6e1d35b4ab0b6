import type { RoomEvent } from '../../src/wire/room-events.js';

/** What a client has seen of one answer. */
export interface Answer {
  /** The deltas, one after the other. */
  text: string;
  /** When the first text came, in ms since the epoch by the client's clock. */
  firstTextAt: number | undefined;
  /** When the last text was made, ISO 8601, as the server says. */
  lastTextMadeAt: string | undefined;
  /** What the end says, the authoritative text; undefined: not ended. */
  end: { type: string; text: string | undefined; attempt: number | undefined } | undefined;
}

/**
 * The answers of a conversation as one client puts them together from its events, by the contract alone and without
 * the project's own client.
 */
export class Answers {
  readonly #answers = new Map<string, Answer>();
  readonly #waiting = new Set<() => void>();

  constructor(readonly client: string) {}

  of(generationId: string): Answer {
    const known = this.#answers.get(generationId);
    if (known) return known;
    const answer = { text: '', firstTextAt: undefined, lastTextMadeAt: undefined, end: undefined };
    this.#answers.set(generationId, answer);
    return answer;
  }

  apply(event: RoomEvent): void {
    switch (event.type) {
      case 'snapshot':
        if ('generation' in event.snapshot) break;
        for (const { id, text } of event.snapshot.generations) this.of(id).text = text;
        for (const message of event.snapshot.messages) {
          if (!message.generationId) continue;
          const answer = this.of(message.generationId);
          answer.text = message.text;
          answer.end ??= { type: 'snapshot', text: message.text, attempt: undefined };
        }
        break;
      case 'generation.chunk':
        this.#chunk(this.of(event.generationId), event.chunk, event.at);
        break;
      case 'generation.reset':
        this.of(event.generationId).text = '';
        break;
      case 'generation.completed':
      case 'generation.cancelled':
      case 'generation.failed':
        this.of(event.generationId).end = {
          type: event.type,
          text: event.message?.text,
          attempt: event.generation.attempt,
        };
        break;
      default:
        return;
    }
    for (const look of this.#waiting) look();
  }

  #chunk(answer: Answer, chunk: Extract<RoomEvent, { type: 'generation.chunk' }>['chunk'], at: string): void {
    if (chunk.type === 'message_start') {
      answer.text = '';
    } else if (chunk.type === 'content_block_delta' && chunk.delta.type === 'text_delta') {
      answer.firstTextAt ??= Date.now();
      answer.lastTextMadeAt = at;
      answer.text += chunk.delta.text;
    }
  }

  /** Resolves when what is seen of the answer fulfils `condition`. Rejects after `timeoutMs`. */
  until(generationId: string, condition: (answer: Answer) => boolean, timeoutMs = 60_000): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        settle();
      };
      const look = () => {
        const answer = this.of(generationId);
        if (condition(answer)) {
          done(() => {
            resolve(answer);
          });
        }
      };
      const timer = setTimeout(() => {
        const seen = JSON.stringify(this.of(generationId));
        done(() => {
          reject(new Error(`${this.client} waited ${timeoutMs} ms in vain; it has ${seen}`));
        });
      }, timeoutMs);
      this.#waiting.add(look);
      look();
    });
  }
}
