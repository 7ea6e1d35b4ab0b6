import { isTerminalEventType, type RoomEvent, type RoomEventOf } from '../../../src/wire/room-events.js';
import type { RoomClient } from '../../support/clients.js';
import { SocketClient } from '../../support/clients.js';

/** What one client saw of one room, over all its connections. */
export interface ClientHistory {
  client: string;
  room: string;
  /** In the order of their coming; a socket's snapshot stands where the ack of its join came. */
  events: readonly RoomEvent[];
  /** What came before the ack of its join. */
  early: readonly RoomEvent[];
}

/** What is known of a generation beside what clients saw: what the model sent, whole. */
export interface ExpectedAnswer {
  text: string;
  /** It may be cancelled or given up, with a prefix. */
  mayEndEarly?: boolean;
}

export type ViolationKind =
  /** A cursor does not increase between two snapshots. */
  | 'order'
  /** Something that another client saw between two events of this one is missing, or a text is not what was sent. */
  | 'loss'
  /** The same entry twice. */
  | 'double'
  /** Two clients hold, or are shown, different things at one cursor, or different texts at the end. */
  | 'disagreement'
  /** A text that is not the beginning of what the model sent. */
  | 'text'
  /** A generation has ended twice, not at all, or is written on behind its end. */
  | 'end'
  /** An event came before the ack of its join. */
  | 'early';

export interface Violation {
  kind: ViolationKind;
  client: string;
  detail: string;
}

/** What a client has recorded so far. */
export function historyOf(client: string, room: string, recorder: RoomClient): ClientHistory {
  const early = recorder instanceof SocketClient ? recorder.early : [];
  return { client, room, events: recorder.events, early };
}

export type TerminalEvent = RoomEventOf<
  'generation.completed' | 'generation.cancelled' | 'generation.failed'
>;

export const isTerminal = (event: RoomEvent): event is TerminalEvent => isTerminalEventType(event.type);
