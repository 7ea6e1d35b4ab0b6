import { textOf, type ContentBlock } from '../domain/content.js';
import { hasEnded, type Generation, type GenerationHead } from '../domain/generation.js';
import { noCursor, type Cursor } from '../wire/cursor.js';
import type {
  DocumentSnapshot,
  RoomEventOf,
  RoomEventWith,
  RoomSnapshot,
  TerminalEventType,
} from '../wire/room-events.js';
import type { RoomModel } from './room-view.js';
import { reduceLive, toLive, withHead, type LiveGeneration } from './live-generation.js';

/** A generation that has ended, with what it has written. */
export interface FinishedGeneration extends GenerationHead {
  readonly text: string;
  readonly content: readonly ContentBlock[];
}

/** What a client knows of one generation. Immutable. */
export interface GenerationState {
  /** What is known of it beside what it writes. */
  readonly head: GenerationHead | null;
  /** While it has not ended; null too where the room knows nothing of it. */
  readonly live: LiveGeneration | null;
  readonly finished: FinishedGeneration | null;
  /** How often it has started over, since it is watched. */
  readonly restarts: number;
  /** How often something happened after which its end may never be told: whoever watches has to ask. */
  readonly doubts: number;
  readonly cursor: Cursor;
}

export const nothingKnown: GenerationState = {
  head: null,
  live: null,
  finished: null,
  restarts: 0,
  doubts: 0,
  cursor: noCursor,
};

/** What any room with generations begins with. */
export type GenerationRoomSnapshot = RoomSnapshot | DocumentSnapshot;

type Model = RoomModel<GenerationState, GenerationRoomSnapshot>;

/** How the state of one generation is made of what is told in its room. */
export function generationModel(id: string): Model {
  const fromSnapshot: Model['fromSnapshot'] = (snapshot, cursor, held) => {
    const generations = 'generation' in snapshot ? [snapshot.generation] : snapshot.generations;
    const { restarts, doubts } = held ?? nothingKnown;
    const known = generations.find((generation) => generation.id === id);
    return withGeneration(
      // A room says nothing of what ended before it was joined.
      { ...nothingKnown, restarts, doubts: known ? doubts : doubts + 1, cursor },
      known,
    );
  };
  return {
    fromSnapshot,
    reduce: (state, event) => {
      if (event.type === 'snapshot') return fromSnapshot(event.snapshot, event.cursor ?? noCursor, state);
      const next = isOfGeneration(event)
        ? event.generationId === id
          ? reduce(state, event)
          : state
        : doubt(state, event);
      return event.cursor === undefined ? next : { ...next, cursor: event.cursor };
    },
  };
}

/** The state with the generation as a request for it has answered. */
export function withGeneration(state: GenerationState, generation: Generation | undefined): GenerationState {
  if (!generation) return state;
  const head = headOf(generation);
  return hasEnded(generation.status)
    ? { ...state, head, live: null, finished: generation }
    : { ...state, head, live: toLive(generation) };
}

function headOf(generation: GenerationHead): GenerationHead {
  const head: GenerationHead & { text?: string; content?: unknown } = { ...generation };
  delete head.text;
  delete head.content;
  return head;
}

function doubt(state: GenerationState, { type }: RoomEventWith<GenerationRoomSnapshot>): GenerationState {
  switch (type) {
    case 'messages.cleared':
    case 'member.left':
    case 'conversation.deleted':
    case 'document.deleted':
      return { ...state, doubts: state.doubts + 1 };
    default:
      return state;
  }
}

/** What it has written so far. */
export const writtenText = ({ live, finished }: GenerationState): string =>
  finished?.text ?? textOf(live?.content ?? []);

type GenerationEvent = Extract<RoomEventWith<GenerationRoomSnapshot>, { type: `generation.${string}` }>;

const isOfGeneration = (event: RoomEventWith<GenerationRoomSnapshot>): event is GenerationEvent =>
  event.type.startsWith('generation.');

function reduce(state: GenerationState, event: GenerationEvent): GenerationState {
  switch (event.type) {
    case 'generation.waiting':
    case 'generation.queued':
    case 'generation.started':
      return { ...state, head: event.generation, live: withHead(state.live ?? undefined, event.generation) };
    case 'generation.completed':
    case 'generation.cancelled':
    case 'generation.failed':
      return {
        ...state,
        head: headOf(event.generation),
        live: null,
        finished: finishedBy(event, state.live),
      };
    case 'generation.chunk':
    case 'generation.html':
    case 'generation.tool_result':
    case 'generation.object':
    case 'generation.warning':
    case 'generation.progress':
    case 'generation.reset':
      return {
        ...state,
        live: state.live && reduceLive(state.live, event),
        restarts: state.restarts + (event.type === 'generation.reset' ? 1 : 0),
      };
  }
}

/** A document's room tells the generation whole, a conversation's its message; where that is not kept, what was seen stands. */
function finishedBy(
  { generation, message }: RoomEventOf<TerminalEventType>,
  live: LiveGeneration | null,
): FinishedGeneration {
  if ('text' in generation) return generation;
  const content = message?.content ?? live?.content ?? [];
  return { ...generation, content, text: message?.text ?? textOf(content) };
}
