import { deltaText, joinDeltas } from '../domain/content.js';
import type { LogEntry } from '../redis/room-log.js';
import type { RoomEventOf } from '../wire/room-events.js';
import { Frame } from './frame.js';

type ChunkEvent = RoomEventOf<'generation.chunk'>;

/** Longest joined text, in UTF-16 code units: a client's parser should not stall on one event. */
const maxJoined = 32_768;

/**
 * The entries as frames, neighbouring deltas of one block joined: their concatenation is promised, not the cuts. A
 * joined delta has the cursor of its last part.
 */
export function joinedFrames(entries: readonly LogEntry[]): Frame[] {
  const frames: Frame[] = [];
  let run: { event: ChunkEvent; last: LogEntry } | undefined;
  const endRun = () => {
    if (run) frames.push(new Frame(run.last.type, run.last.cursor, JSON.stringify(run.event)));
    run = undefined;
  };
  for (const entry of entries) {
    const event = entry.type === 'generation.chunk' ? (JSON.parse(entry.data) as ChunkEvent) : undefined;
    if (run && event && join(run.event, event)) {
      run.last = entry;
      continue;
    }
    endRun();
    if (event?.chunk.type === 'content_block_delta') run = { event, last: entry };
    else frames.push(Frame.of(entry));
  }
  endRun();
  return frames;
}

/** Adds the second's text to the first where that is allowed. */
function join(first: ChunkEvent, second: ChunkEvent): boolean {
  if (first.generationId !== second.generationId || first.sentenceIndex !== second.sentenceIndex)
    return false;
  const [a, b] = [first.chunk, second.chunk];
  if (a.type !== 'content_block_delta' || b.type !== 'content_block_delta' || a.index !== b.index)
    return false;
  if ((deltaText(a.delta)?.length ?? 0) > maxJoined) return false;
  const joined = joinDeltas(a.delta, b.delta);
  if (!joined) return false;
  a.delta = joined;
  return true;
}
