import {
  deltaText,
  withDeltaText,
  type ApiUsage,
  type ContentDelta,
  type StreamPart,
} from '../domain/content.js';

/**
 * The transcript of a generation: its whole stream in one string that only grows by APPEND, so that a joiner gets
 * everything in one read and a token costs its own length. Records begin with a newline; JSON has none inside:
 *
 *     \n{…}      a part of the stream as JSON
 *     \nt…       text deltas of the block that was named last, joined and escaped as in a JSON string
 *     \nk…       the same of thinking deltas
 *     \nj…       the same of input_json deltas
 *     \nu{…}     what the model's call that is under way has reported to have used
 *     \nb        a new call begins: what it reports is added to what those before it used
 */
const tags = new Map<ContentDelta['type'], string>([
  ['text_delta', 't'],
  ['thinking_delta', 'k'],
  ['input_json_delta', 'j'],
]);

const empty: Record<string, ContentDelta> = {
  t: { type: 'text_delta', text: '' },
  k: { type: 'thinking_delta', thinking: '' },
  j: { type: 'input_json_delta', partial_json: '' },
};

/** Writes a transcript piece by piece. A new one goes on behind whatever is there. */
export class TranscriptWriter {
  #index = -1;
  #run: string | undefined;

  /** What this part adds. */
  add(part: StreamPart): string {
    if (part.type === 'content_block_delta' && part.index === this.#index) {
      const text = deltaText(part.delta);
      const tag = tags.get(part.delta.type);
      if (text !== undefined && tag) {
        const begin = this.#run === tag ? '' : `\n${tag}`;
        this.#run = tag;
        return begin + JSON.stringify(text).slice(1, -1);
      }
    }
    // A writer that goes on behind another one names the block first.
    if (part.type === 'content_block_start' || part.type === 'content_block_delta') this.#index = part.index;
    return this.#record(JSON.stringify(part));
  }

  /** A new call of the model: the usage that it reports comes on top of that of the calls before it. */
  beginCall(): string {
    return this.#record('b');
  }

  /** A report of the call under way: it takes the place of the call's earlier reports. `final`: with its end. */
  reportUsage(usage: ApiUsage, final: boolean): string {
    return this.#record(`u${JSON.stringify({ usage, final } satisfies UsageReport)}`);
  }

  #record(record: string): string {
    this.#run = undefined;
    return `\n${record}`;
  }
}

/** The transcript of what is stored of a generation: its content, and what all calls so far have used. */
export function transcriptOf(parts: readonly StreamPart[], usage: ApiUsage | null): string {
  const writer = new TranscriptWriter();
  const calls = usage ? writer.beginCall() + writer.reportUsage(usage, true) : '';
  return calls + parts.map((part) => writer.add(part)).join('');
}

interface UsageReport {
  usage: ApiUsage;
  final: boolean;
}

/** What is known of one call of the model. */
export interface CallRecord extends UsageReport {
  /** How much it wrote, in UTF-16 code units. */
  characters: number;
}

export interface Transcript {
  /** Neighbouring deltas are joined. */
  parts: StreamPart[];
  calls: CallRecord[];
}

export function readTranscript(transcript: string): Transcript {
  const parts: StreamPart[] = [];
  const calls: Transcript['calls'] = [];
  let index = -1;
  for (const record of transcript.split('\n')) {
    const rest = record.slice(1);
    const call = calls.at(-1);
    switch (record[0]) {
      case undefined:
        break;
      case 'b':
        calls.push({ usage: {}, final: false, characters: 0 });
        break;
      case 'u':
        if (call) {
          const { usage, final } = JSON.parse(rest) as UsageReport;
          call.usage = { ...call.usage, ...usage };
          call.final = final;
        }
        break;
      case '{': {
        const part = JSON.parse(record) as StreamPart;
        if (part.type === 'content_block_start' || part.type === 'content_block_delta') index = part.index;
        if (call && part.type === 'content_block_delta')
          call.characters += deltaText(part.delta)?.length ?? 0;
        parts.push(part);
        break;
      }
      default: {
        const delta = empty[record.charAt(0)];
        if (!delta) throw new Error(`unknown transcript record "${record.slice(0, 20)}"`);
        const text = JSON.parse(`"${rest}"`) as string;
        if (call) call.characters += text.length;
        parts.push({ type: 'content_block_delta', index, delta: withDeltaText(delta, text) });
      }
    }
  }
  return { parts, calls };
}
