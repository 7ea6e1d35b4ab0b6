import { ContentAccumulator } from '../domain/content-accumulator.js';
import type { ContentBlock } from '../domain/content.js';
import { hasEnded, type Usage } from '../domain/generation.js';
import { partsOf } from '../domain/parts-of.js';
import type { RoomLog } from '../redis/room-log.js';
import { readTranscript, transcriptOf } from '../redis/transcript.js';
import type { GenerationRow } from '../store/generations.js';
import { generationRoom } from '../wire/room.js';
import { asCall, callBeyond, usageOfCalls } from './usage.js';

/** What a generation has written and used. */
export interface Written {
  content: ContentBlock[];
  /** Null: no model has been asked yet. */
  usage: Usage | null;
  /** It may have used more, and nobody knows how much. */
  lost: boolean;
}

/** What the row knows: all of a generation that has ended, and of one that was handed over. */
export const storedOf = ({ content, usage, status }: GenerationRow): Written => ({
  content,
  usage,
  lost: status === 'running',
});

/** What there is of a generation: of one that has not ended, what Redis has. Fails when Redis does not answer. */
export async function readWritten(roomLog: RoomLog, row: GenerationRow): Promise<Written> {
  if (row.attempt === 0 || hasEnded(row.status)) return storedOf(row);
  const transcript = await roomLog.transcript(generationRoom(row), row.id);
  if (transcript === '') return storedOf(row);
  const { parts, calls } = readTranscript(transcript);
  const accumulator = new ContentAccumulator();
  for (const part of parts) accumulator.apply(part);
  const beyond = callBeyond(calls, row.usage);
  if (beyond) calls.push(beyond);
  const usage = calls.length > 0 ? usageOfCalls(calls) : null;
  return { content: accumulator.content, usage, lost: false };
}

/** A number behind all appends of an attempt: what it still sends counts as written already (A2), and is not. */
const noMoreAppends = Number.MAX_SAFE_INTEGER;

/**
 * Puts back what Redis has lost of a generation that was handed over and waits for a worker, so that everybody is shown it
 * until then. The row is locked: no attempt begins meanwhile. Fails when Redis does not answer.
 */
export async function restoreWritten(roomLog: RoomLog, row: GenerationRow): Promise<void> {
  const { id, attempt, content, usage, model } = row;
  if (attempt === 0 || (content.length === 0 && !usage)) return;
  const room = generationRoom(row);
  if ((await roomLog.transcript(room, id)) !== '') return;
  const transcript = transcriptOf(partsOf(content, id, model), usage && asCall(usage));
  await roomLog.open(room, id, attempt, { mode: 'replace', n: noMoreAppends, transcript });
}
