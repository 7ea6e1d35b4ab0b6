import type { Request, Response } from 'express';
import type { Generation } from '../domain/generation.js';
import type { Session } from '../domain/session.js';
import type { Cursor } from '../wire/cursor.js';
import type { StreamDialect } from '../wire/stream-dialect.js';

/** What this folder needs of the live side, which the gateway gives: neither imports the other. */
export interface GenerationStreams {
  /** Answers with the event stream of one generation (contract §7), from its snapshot on, or from behind a cursor. */
  stream(
    req: Request,
    res: Response,
    generation: Pick<Generation, 'id' | 'conversationId' | 'documentId'>,
    session: Session,
    how?: { dialect?: StreamDialect; after?: Cursor | undefined },
  ): Promise<void>;
  /** Resolves when the generation has ended, or after `timeoutMs`, or when the signal fires; the caller counts as present. */
  waitForEnd(generation: Generation, timeoutMs: number, signal: AbortSignal, session: Session): Promise<void>;
}
