import type { Conversation, ConversationView, Message, User } from '../domain/conversation.js';
import type { GenerationHead } from '../domain/generation.js';
import { noCursor, type Cursor } from '../wire/cursor.js';
import type {
  PresentUser,
  RoomEvent,
  RoomEventOf,
  RoomSnapshot,
  TerminalEventType,
} from '../wire/room-events.js';
import {
  reduceLive,
  toEnded,
  toLive,
  withHead,
  type EndedGeneration,
  type LiveGeneration,
} from './live-generation.js';

/** Somebody who types; a new object each time that it is told. */
export interface Typist {
  readonly user: User;
}

/**
 * What a client knows of a room. Immutable; parts that an event leaves alone stay the same objects, so that views can
 * compare by identity.
 */
export interface RoomState {
  /** Null in the room of a single generation. */
  readonly conversation: ConversationView | null;
  /** In the order of `position`. May still hold a message that is being written anew by a live generation. */
  readonly messages: readonly Message[];
  /** In the order of `position`, which is the order of answering. */
  readonly generations: readonly LiveGeneration[];
  /** How generations ended, by id: those whose end was seen since the last snapshot, and whose history still stands. */
  readonly ended: ReadonlyMap<string, EndedGeneration>;
  /** All who watch now; empty where it is not known. */
  readonly users: readonly PresentUser[];
  /** Who types now. An entry that is not made anew for 5 s has ended, even if nobody says so. */
  readonly typing: readonly Typist[];
  /** The ids of those who left or were removed since the last snapshot: they get no events any more. */
  readonly left: readonly string[];
  /** The last logged event that is in this state. */
  readonly cursor: Cursor;
  readonly deleted: boolean;
}

/** How many messages a snapshot holds at most, those being written included. */
export const snapshotMessages = 50;

/** The state that a snapshot describes. It replaces all that was held of the room. */
export function fromSnapshot(snapshot: RoomSnapshot, cursor: Cursor = noCursor): RoomState {
  const held =
    'conversation' in snapshot
      ? snapshot
      : { conversation: null, messages: [], generations: [snapshot.generation], users: [] };
  return {
    conversation: held.conversation,
    messages: held.messages.toSorted(byPosition),
    generations: held.generations.map(toLive).sort(byPosition),
    ended: new Map(),
    users: held.users,
    typing: [],
    left: [],
    cursor,
    deleted: false,
  };
}

/** The state with a page of its older history, as `GET …/messages` gave it. What is held already is kept. */
export function withHistory(state: RoomState, older: readonly Message[]): RoomState {
  const held = new Set(state.messages.map(({ id }) => id));
  const added = older.filter(({ id, status }) => !held.has(id) && status !== 'streaming');
  return added.length ? { ...state, messages: [...added, ...state.messages].sort(byPosition) } : state;
}

/** The state after a look at the room: of what the snapshot does not reach back to, the held history stands. */
export function fromLook(snapshot: RoomSnapshot, held: RoomState): RoomState {
  const next = fromSnapshot(snapshot);
  const [first] = next.messages;
  const isWhole = next.messages.length + next.generations.length < snapshotMessages;
  const older =
    first && !isWhole
      ? held.messages.filter((message) => byPosition(message, first) < 0 && message.status !== 'streaming')
      : [];
  const messages = [...older, ...next.messages];
  const stand = new Set(messages.map(({ id }) => id));
  const ended = [...held.ended].filter(([, { messageId }]) => stand.has(messageId));
  return { ...next, messages, ended: new Map(ended) };
}

/** The state after one more event of the room. Events of a type that is not known change nothing but the cursor. */
export function reduceRoom(state: RoomState, event: RoomEvent): RoomState {
  if (event.type === 'snapshot') return fromSnapshot(event.snapshot, event.cursor ?? state.cursor);
  const next = reduce(state, event);
  return event.cursor === undefined || event.cursor === next.cursor
    ? next
    : { ...next, cursor: event.cursor };
}

function reduce(state: RoomState, event: Exclude<RoomEvent, { type: 'snapshot' }>): RoomState {
  switch (event.type) {
    case 'message.created':
      return withoutTypist(
        { ...state, messages: upsert(state.messages, event.message) },
        event.message.author,
      );
    case 'message.updated':
      return { ...state, messages: upsert(state.messages, event.message) };
    case 'message.deleted':
      return withoutMessage(state, event.message.id);
    case 'messages.cleared':
      return { ...withConversation(state, event.conversation), messages: [], ended: new Map() };
    case 'conversation.updated':
      return withConversation(state, event.conversation);
    case 'member.joined':
    case 'member.left': {
      const { id } = event.user;
      const left = state.left.filter((one) => one !== id);
      if (event.type === 'member.left') left.push(id);
      return { ...withConversation(state, event.conversation), left };
    }
    case 'conversation.deleted':
      return { ...state, deleted: true };
    case 'generation.waiting':
    case 'generation.queued':
    case 'generation.started':
      return { ...state, generations: upsert(state.generations, withNewHead(state, event.generation)) };
    case 'generation.chunk':
    case 'generation.html':
    case 'generation.tool_result':
    case 'generation.object':
    case 'generation.warning':
    case 'generation.progress':
    case 'generation.reset':
      return changeLive(state, event.generationId, (live) => reduceLive(live, event));
    case 'generation.completed':
    case 'generation.cancelled':
    case 'generation.failed':
      return withEnd(state, event);
    case 'presence':
      return { ...state, users: event.users };
    case 'typing': {
      const others = withoutTypist(state, event.user);
      return event.typing ? { ...others, typing: [...others.typing, { user: event.user }] } : others;
    }
    default:
      return state;
  }
}

function withoutTypist(state: RoomState, user: User | null): RoomState {
  const typing = state.typing.filter((typist) => typist.user.id !== user?.id);
  return typing.length < state.typing.length ? { ...state, typing } : state;
}

function withEnd(state: RoomState, event: RoomEventOf<TerminalEventType>): RoomState {
  const { generation, generationId, message, replacesMessageId } = event;
  const kept = replacesMessageId ? withoutMessage(state, replacesMessageId) : state;
  return {
    ...kept,
    messages: message ? upsert(kept.messages, message) : kept.messages,
    generations: without(kept.generations, generationId),
    ended: new Map(kept.ended).set(generationId, toEnded(liveOf(state, generationId), generation)),
  };
}

/** How the message came to be goes with it. */
function withoutMessage(state: RoomState, id: string): RoomState {
  const ended = [...state.ended].filter(([, { messageId }]) => messageId !== id);
  return {
    ...state,
    messages: without(state.messages, id),
    ended: ended.length < state.ended.size ? new Map(ended) : state.ended,
  };
}

function changeLive(
  state: RoomState,
  generationId: string,
  change: (live: LiveGeneration) => LiveGeneration,
): RoomState {
  const at = state.generations.findIndex(({ id }) => id === generationId);
  const live = state.generations[at];
  if (!live) return state;
  const changed = change(live);
  return changed === live ? state : { ...state, generations: state.generations.with(at, changed) };
}

/** `role` and `unread` are the watcher's own and not in events. */
function withConversation(state: RoomState, conversation: Conversation): RoomState {
  return state.conversation ? { ...state, conversation: { ...state.conversation, ...conversation } } : state;
}

const liveOf = ({ generations }: RoomState, id: string): LiveGeneration | undefined =>
  generations.find((live) => live.id === id);

const withNewHead = (state: RoomState, head: GenerationHead): LiveGeneration =>
  withHead(liveOf(state, head.id), head);

interface Placed {
  readonly id: string;
  readonly position: number | null;
}

const byPosition = (a: Placed, b: Placed) => (a.position ?? 0) - (b.position ?? 0);

/** Replaces the item of the same id, else puts it where its position says: nearly always the end. */
function upsert<T extends Placed>(items: readonly T[], item: T): readonly T[] {
  const at = items.findIndex(({ id }) => id === item.id);
  const others = at < 0 ? items : items.toSpliced(at, 1);
  const before = others.findLastIndex((other) => byPosition(other, item) <= 0);
  return others.toSpliced(before + 1, 0, item);
}

const without = <T extends Placed>(items: readonly T[], id: string): readonly T[] =>
  items.some((item) => item.id === id) ? items.filter((item) => item.id !== id) : items;
