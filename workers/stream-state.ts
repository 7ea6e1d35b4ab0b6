import { ContentAccumulator } from '../src/domain/content-accumulator.js';
import type { ContentBlock, Repair, RoundEnd, StreamPart } from '../src/domain/content.js';
import { Stage } from './stage.js';
import { TextFigures } from './text-figures.js';

/** How far a generation's stream has come: what it says, and what a further call has to know to go on. */
export class StreamState {
  #accumulator = new ContentAccumulator();
  /** `message_start` has been. */
  started = false;
  /** `message_stop` has been. */
  ended = false;
  readonly figures = new TextFigures();
  readonly stage = new Stage();
  /** The block that is being written. */
  openIndex: number | undefined;
  stopReason: string | null = null;
  stopSequence: string | null = null;
  /** How the model ended its last call, where nothing of the next one has come yet. */
  roundEnd: RoundEnd | undefined;
  /** How many calls of the model have ended that the generation goes on from. */
  rounds = 0;
  /** Where in the content the round begins that is being written: behind what was called and answered before. */
  roundFrom = 0;
  /** What the answer is written a second time for. */
  repair: Repair | undefined;

  static of(parts: readonly StreamPart[]): StreamState {
    const state = new StreamState();
    for (const part of parts) state.apply(part);
    return state;
  }

  get content(): ContentBlock[] {
    return this.#accumulator.content;
  }

  get text(): string {
    return this.#accumulator.text;
  }

  get nextIndex(): number {
    return this.#accumulator.nextIndex;
  }

  #read(text: string): void {
    this.figures.add(text);
    this.stage.add(text);
  }

  /** What the round that is being written has so far. */
  get round(): ContentBlock[] {
    return this.content.slice(this.roundFrom);
  }

  apply(part: StreamPart): void {
    this.#accumulator.apply(part);
    switch (part.type) {
      case 'message_start':
        this.started = true;
        return;
      case 'content_block_start':
        this.roundEnd = undefined;
        this.openIndex = part.index;
        if (part.content_block.type === 'text') this.#read(part.content_block.text);
        return;
      case 'content_block_delta':
        if (part.delta.type === 'text_delta') this.#read(part.delta.text);
        return;
      case 'content_block_stop':
        this.openIndex = undefined;
        return;
      case 'tool_result':
        this.roundFrom = this.content.length;
        return;
      case 'round_end':
        this.roundEnd = part;
        this.rounds += 1;
        this.roundFrom = this.content.length;
        return;
      case 'repair':
        this.repair = part;
        return;
      case 'message_delta':
        this.stopReason = part.delta.stop_reason;
        this.stopSequence = part.delta.stop_sequence;
        return;
      case 'message_stop':
        this.ended = true;
        return;
      case 'object':
        return;
    }
  }
}
