import type { GenerationHead } from '../domain/generation.js';
import type { FinishedGeneration } from './generation-state.js';
import type { Transport } from './line.js';
import type { LiveGeneration } from './live-generation.js';
import type { ConnectionState } from './room-view.js';

/** What a handle tells, by the name of the event. */
export interface GenerationHandleEvents {
  /** What is new of the text, and all of it. */
  text: [delta: string, fullText: string];
  /** The generation started over: the text begins anew, and what was told of it counts no more. */
  restart: [];
  /** It has completed, or was cancelled: `status` says which. Nothing comes after it. */
  complete: [generation: FinishedGeneration];
  /** It failed, or cannot be watched any more. Nothing comes after it. */
  error: [error: Error];
  /** A handler threw. */
  'handler-error': [name: string, error: unknown];
}

/** One moment of a watched generation. The same object until something changes. */
export interface GenerationView {
  readonly text: string;
  /** What is known of it beside its text; null until something is. */
  readonly metadata: GenerationHead | null;
  /** While it runs: its blocks, progress, warnings, and all else that its events tell. */
  readonly live: LiveGeneration | null;
  /** It has ended, however that was. */
  readonly isComplete: boolean;
  readonly error: Error | null;
  readonly connection: ConnectionState;
  readonly transport: Transport | null;
}
