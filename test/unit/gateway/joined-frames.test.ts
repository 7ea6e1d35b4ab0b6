import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ContentAccumulator } from '../../../src/domain/content-accumulator.js';
import type { Chunk } from '../../../src/domain/content.js';
import { joinedFrames } from '../../../src/gateway/joined-frames.js';
import type { LogEntry } from '../../../src/redis/room-log.js';
import { anyChunks } from '../../support/arbitraries.js';

interface Event {
  type: string;
  generationId: string;
  chunk?: Chunk;
}

/** Two generations whose chunks come in turns, with events of other kinds between them, as a log has them. */
const anyLog = fc
  .tuple(anyChunks, anyChunks, fc.array(fc.nat(5), { maxLength: 60 }))
  .map(([one, two, turns]): LogEntry[] => {
    const queues: Record<string, Chunk[]> = { one: [...one], two: [...two] };
    const events: Event[] = [];
    const take = (generationId: string) => {
      const chunk = queues[generationId]?.shift();
      if (chunk) events.push({ type: 'generation.chunk', generationId, chunk });
    };
    for (const turn of turns)
      if (turn === 5) events.push({ type: 'generation.warning', generationId: 'one' });
      else take(turn < 3 ? 'one' : 'two');
    while (queues.one?.length) take('one');
    while (queues.two?.length) take('two');
    return events.map((event, i) => ({ cursor: `5-${i}`, type: event.type, data: JSON.stringify(event) }));
  });

const parse = (json: string) => JSON.parse(json) as Event & { cursor?: string };

function contentOf(events: readonly Event[], generationId: string) {
  const accumulator = new ContentAccumulator();
  for (const { chunk, generationId: id } of events)
    if (chunk && id === generationId) accumulator.apply(chunk);
  return accumulator.content;
}

describe('frames of a log', () => {
  test('say the same as its entries, and leave a client at the same place', () => {
    fc.assert(
      fc.property(anyLog, (entries) => {
        const frames = joinedFrames(entries);
        const [before, after] = [
          entries.map(({ data }) => parse(data)),
          frames.map(({ json }) => parse(json)),
        ];
        for (const generationId of ['one', 'two'])
          expect(contentOf(after, generationId)).toEqual(contentOf(before, generationId));
        expect(frames.at(-1)?.cursor).toBe(entries.at(-1)?.cursor);
      }),
    );
  });

  test('stand in the order of the entries, each with the cursor of the last one in it', () => {
    fc.assert(
      fc.property(anyLog, (entries) => {
        let at = -1;
        for (const frame of joinedFrames(entries)) {
          const from = at + 1;
          at = entries.findIndex(({ cursor }) => cursor === frame.cursor);
          expect(at).toBeGreaterThanOrEqual(from);
          const joined = entries.slice(from, at + 1).map(({ data }) => parse(data));
          // Resuming behind a frame leaves nothing out: all entries up to its cursor are in it or before it.
          if (joined.length > 1)
            for (const { chunk } of joined) expect(chunk?.type).toBe('content_block_delta');
          expect(parse(frame.json).cursor).toBe(frame.cursor);
        }
        expect(at).toBe(entries.length - 1);
      }),
    );
  });

  test('join a long run of deltas into few', () => {
    const entries = Array.from({ length: 5000 }, (_, i): LogEntry => {
      const chunk: Chunk = {
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'text_delta', text: `word ${i} ` },
      };
      return {
        cursor: `5-${i}`,
        type: 'generation.chunk',
        data: JSON.stringify({ type: 'generation.chunk', generationId: 'one', chunk }),
      };
    });
    expect(joinedFrames(entries).length).toBeLessThan(5);
  });
});
