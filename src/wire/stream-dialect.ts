import type { GenerationSnapshot, RoomEventWith } from './room-events.js';

/** An event of a generation's stream: its snapshots hold that generation alone. */
export type GenerationEvent = RoomEventWith<GenerationSnapshot>;

/**
 * How the event stream of one generation is told to a client that speaks otherwise than contract §7. It has a state, so
 * each stream has its own; what it answers goes out as it is.
 */
export interface StreamDialect {
  /** A sign of life. */
  readonly heartbeat: string;
  /** Nothing more can be told: the stream ends, whatever becomes of the generation. */
  readonly over: boolean;
  /** What the client is told of an event; empty: nothing. */
  tell(event: GenerationEvent): string;
  /**
   * What is said last where the stream ends; empty where the end of the generation has been told. Undefined: nothing can
   * be said, and the connection breaks off, since an orderly end would pass for the answer's.
   */
  farewell(reason?: 'session.expired'): string | undefined;
}
