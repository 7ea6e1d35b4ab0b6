import type { ApiUsage, Chunk, ContentBlock } from '../../domain/content.js';
import type { GenerationHead } from '../../domain/generation.js';
import type { GenerationEvent } from '../../wire/stream-dialect.js';
import {
  closeBlock,
  isShown,
  nothingTold,
  takePart,
  takeParts,
  type ShownPart,
  type Told,
} from '../telling/told.js';
import { shownParts, wayTo } from '../telling/way-to.js';
import { anthropicError, faultOfRun, type AnthropicError } from './anthropic-errors.js';
import { messageIdOf, usageAtStart, usageOf } from './message-of.js';

/** An event of the stream of a message: https://docs.anthropic.com/en/api/messages-streaming */
export type MessageEvent = Chunk | AnthropicError;

/** What is told, and to whom. */
export interface Telling {
  generation: Pick<GenerationHead, 'id' | 'model'>;
  requestId: string;
  /** The client knows that a further `message_start` makes what it has void; those of the SDK do not. */
  mayBeginAnew: boolean;
}

/** How far a message has been told. */
export interface MessageState {
  /** What the client has comes from a stream before this one: the log alone says what it is. */
  follows: boolean;
  begun: boolean;
  over: boolean;
  told: Told;
  /** All that there is of the answer, while what was told goes beyond it: nothing is told until it has caught up. */
  goal: readonly ShownPart[] | undefined;
  /** The log has told all of the answer. */
  complete: boolean;
  /** What was told is what the log says, so that who comes back with the cursor of the event can be told on. */
  exact: boolean;
}

export const startTelling = (follows: boolean): MessageState => ({
  follows,
  begun: false,
  over: false,
  told: nothingTold,
  goal: undefined,
  complete: false,
  exact: true,
});

type Say = (...events: readonly MessageEvent[]) => void;

/**
 * What an event of a generation's stream says in the words of the Messages API.
 *
 * Invariants:
 * - What was told behind the last `message_start` is a beginning of the answer; `message_stop` comes when its end is
 *   stored, and then it is all of it.
 * - An answer that starts over is told on from where it gets beyond what was told. Where it has become another one the
 *   message begins anew, or ends with an error, since the protocol cannot take anything back.
 */
export function tellMessage(
  state: MessageState,
  event: GenerationEvent,
  to: Telling,
): { state: MessageState; events: MessageEvent[] } {
  const events: MessageEvent[] = [];
  const say: Say = (...more) => {
    events.push(...more);
  };
  return { state: state.over ? state : take(state, event, to, say), events };
}

function take(state: MessageState, event: GenerationEvent, to: Telling, say: Say): MessageState {
  switch (event.type) {
    case 'snapshot': {
      const { content } = event.snapshot.generation;
      const known = state.follows ? startTelling(false) : state;
      if (content.length === 0 && known.told.blocks.length === 0) return known;
      const parts = shownParts(content, { isWhole: false });
      return { ...reach(known, parts, to, say), exact: false };
    }
    case 'generation.chunk':
      if (isShown(event.chunk)) return add(state, event.chunk, to, say);
      if (event.chunk.type !== 'message_start') return { ...state, complete: true };
      return startOver(begin(anew(state), to, say, event.chunk.message.usage));
    case 'generation.reset':
      return startOver(anew(state));
    case 'generation.tool_result':
      // It closes the call. The API has no place for what a tool of the worker's answers.
      return state;
    case 'generation.completed': {
      const { generation, message } = event;
      const isTold = state.complete && !state.goal;
      const parts = shownParts(message?.content ?? [], { isWhole: true });
      const whole = isTold ? state : reach(anew(state), parts, to, say, true);
      if (whole.over) return whole;
      const begun = state.follows && isTold ? whole : begin(whole, to, say);
      sayParts(closeBlock(begun.told).parts, say);
      const { stopReason: stop_reason, stopSequence: stop_sequence, usage } = generation;
      say(
        { type: 'message_delta', delta: { stop_reason, stop_sequence }, usage: usageOf(usage) },
        { type: 'message_stop' },
      );
      return { ...begun, over: true, exact: true };
    }
    case 'generation.cancelled':
    case 'generation.failed': {
      const { generation, message } = event;
      if (message && !state.follows && !state.complete) tellRest(state, message.content, to, say);
      const { type, message: why } = faultOfRun(generation);
      say(anthropicError(type, why, to.requestId));
      return { ...state, over: true, exact: true };
    }
    default:
      return state;
  }
}

/** Of a client that goes on what it has is unknown: what it is told of another attempt begins anew. */
const anew = (state: MessageState): MessageState => (state.follows ? startTelling(false) : state);

const startOver = (state: MessageState): MessageState => ({ ...state, goal: [], complete: false });

/** `message_start`, once. */
function begin(state: MessageState, { generation }: Telling, say: Say, usage: ApiUsage = {}): MessageState {
  if (state.begun) return state;
  say({
    type: 'message_start',
    message: {
      id: messageIdOf(generation.id),
      type: 'message',
      role: 'assistant',
      model: generation.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: usageAtStart(usage),
    },
  });
  return { ...state, begun: true };
}

/** A part of the log. */
function add(state: MessageState, part: ShownPart, to: Telling, say: Say): MessageState {
  if (state.follows) {
    sayParts([part], say);
    return state;
  }
  if (state.goal)
    return { ...reach({ ...state, goal: undefined }, [...state.goal, part], to, say), exact: true };
  const { told, parts } = takePart(state.told, part);
  const begun = begin(state, to, say);
  sayParts(parts, say);
  return { ...begun, told, exact: true };
}

/** Tells what leads to all of these parts, as soon as they are more than was told. `atEnd`: no more will come. */
function reach(
  state: MessageState,
  parts: readonly ShownPart[],
  to: Telling,
  say: Say,
  atEnd = false,
): MessageState {
  const way = wayTo(state.told, parts);
  if (way === 'behind' && !atEnd) return { ...state, goal: parts };
  if (typeof way === 'object') {
    const { told, parts: missing } = takeParts(way.told, way.missing);
    const begun = begin(state, to, say);
    sayParts(missing, say);
    return { ...begun, told, goal: undefined };
  }
  if (to.mayBeginAnew) return reach(startTelling(false), parts, to, say, atEnd);
  say(
    anthropicError('overloaded_error', 'The answer starts over: what was told of it is void.', to.requestId),
  );
  return { ...state, over: true };
}

/** What is known of an answer that was broken off, where it leads on from what was told. */
function tellRest(state: MessageState, content: readonly ContentBlock[], to: Telling, say: Say): void {
  const way = wayTo(state.told, shownParts(content, { isWhole: true }));
  if (typeof way !== 'object' || way.missing.length === 0) return;
  begin(state, to, say);
  sayParts(takeParts(way.told, way.missing).parts, say);
}

function sayParts(parts: readonly ShownPart[], say: Say): void {
  for (const part of parts) if (part.type !== 'tool_result') say(part);
}
