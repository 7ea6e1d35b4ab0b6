import {
  toolResultText,
  type ApiUsage,
  type Repair,
  type RoundEnd,
  type ToolResultBlock,
} from '../src/domain/content.js';
import type { HtmlBlock } from '../src/domain/generation.js';
import type { UnloggedEvent } from '../src/redis/room-log.js';
import { TranscriptWriter } from '../src/redis/transcript.js';
import type { Room } from '../src/wire/room.js';
import type { ShapedChunk } from './flush-shaper.js';
import type { OutputObject } from './structured-output.js';

/** Events that carry no content of the answer. */
type LoggedEvent = 'generation.warning' | 'generation.reset';

/** What the worker notes for itself. */
export type Note = RoundEnd | Repair;

/** What waits to be written into the log. */
export type Pending =
  | ({ kind: 'chunk' } & ShapedChunk)
  | { kind: 'note'; note: Note }
  | { kind: 'toolResult'; name: string; result: ToolResultBlock }
  | { kind: 'object'; object: OutputObject; logged: boolean }
  | { kind: 'event'; type: LoggedEvent; payload: object }
  | { kind: 'html'; block: HtmlBlock }
  | { kind: 'call' }
  | { kind: 'usage'; usage: ApiUsage; final: boolean };

/** What waited, as it is told. */
export interface Encoded {
  entries: { type: string; data: string }[];
  /** To be published behind the entries, and kept nowhere. */
  unlogged: UnloggedEvent[];
  /** What is added to the transcript, and the rendered blocks; with `anew` they take the place of what is there. */
  transcript: string;
  html: HtmlBlock[];
  anew: boolean;
}

/** Makes entries of the log, and what they add to the transcript, of what a generation has to say. */
export class LogEncoder {
  #transcript = new TranscriptWriter();

  /** What the JSON of every chunk holds, but for its time; encoded once. */
  readonly #room: string;
  readonly #ids: string;

  constructor(private readonly of: { room: Room; generationId: string; messageId: string }) {
    const { room, generationId, messageId } = of;
    this.#room = JSON.stringify({ type: 'generation.chunk', room }).slice(0, -1);
    this.#ids = JSON.stringify({ generationId, messageId }).slice(1, -1);
  }

  /** One append. Batches follow each other in the order in which they are encoded. */
  encode(batch: readonly Pending[]): Encoded {
    const { room, generationId } = this.of;
    const at = new Date().toISOString();
    const head = { room, at, generationId };
    const encoded: Encoded = { entries: [], unlogged: [], transcript: '', html: [], anew: false };
    const enter = (type: string, payload: object) => {
      encoded.entries.push({ type, data: JSON.stringify({ type, ...head, ...payload }) });
    };
    for (const item of batch) {
      switch (item.kind) {
        case 'chunk': {
          const { chunk, sentenceIndex } = item;
          encoded.transcript += this.#transcript.add(chunk);
          const sentence = sentenceIndex === undefined ? '' : `"sentenceIndex":${sentenceIndex},`;
          const data = `${this.#room},"at":"${at}",${this.#ids},${sentence}"chunk":${JSON.stringify(chunk)}}`;
          encoded.entries.push({ type: 'generation.chunk', data });
          break;
        }
        case 'note':
          encoded.transcript += this.#transcript.add(item.note);
          break;
        case 'toolResult':
          encoded.transcript += this.#transcript.add(item.result);
          enter('generation.tool_result', toolResultPayload(item));
          break;
        case 'object':
          if (item.object.complete)
            encoded.transcript += this.#transcript.add({ type: 'object', index: item.object.index });
          if (item.logged) enter('generation.object', item.object);
          else encoded.unlogged.push(Object.assign({ type: 'generation.object' }, head, item.object));
          break;
        case 'event':
          if (item.type === 'generation.reset') {
            this.#transcript = new TranscriptWriter();
            Object.assign(encoded, { transcript: '', html: [], anew: true });
          }
          enter(item.type, item.payload);
          break;
        case 'html':
          encoded.html.push(item.block);
          enter('generation.html', item.block);
          break;
        case 'call':
          encoded.transcript += this.#transcript.beginCall();
          break;
        case 'usage':
          encoded.transcript += this.#transcript.reportUsage(item.usage, item.final);
          break;
      }
    }
    return encoded;
  }
}

const toolResultPayload = ({ name, result }: { name: string; result: ToolResultBlock }) => ({
  toolUseId: result.tool_use_id,
  name,
  output: toolResultText(result),
  isError: result.is_error ?? false,
});
