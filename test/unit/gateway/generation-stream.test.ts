import type { Response } from 'express';
import { pino } from 'pino';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { User } from '../../../src/domain/conversation.js';
import { AppError } from '../../../src/domain/errors.js';
import type { RoomTarget } from '../../../src/gateway/authorize.js';
import type { EventStream } from '../../../src/gateway/event-stream.js';
import { Frame } from '../../../src/gateway/frame.js';
import type { Gateway } from '../../../src/gateway/gateway.js';
import { streamGeneration } from '../../../src/gateway/generation-stream.js';
import { ownRight } from '../../../src/gateway/watch-right.js';
import type { RoomListener } from '../../../src/redis/room-feed.js';

const right = vi.hoisted(() => ({ stands: true }));
/** Whether the outbox still has the end of the generation. */
const outbox = vi.hoisted(() => ({ hasEnd: false }));

vi.mock('../../../src/store/outbox.js', () => ({ isEndUntold: () => Promise.resolve(outbox.hasEnd) }));
vi.mock('node:timers/promises', () => ({
  setTimeout: () => new Promise((resolve) => setImmediate(resolve)),
}));

vi.mock('../../../src/gateway/authorize.js', () => ({
  authorizeRoom: (_db: unknown, room: RoomTarget['room']): Promise<Partial<RoomTarget>> =>
    right.stands
      ? Promise.resolve({ room, right: ownRight })
      : Promise.reject(new AppError('not_found', 'There is no such room.')),
}));

const ada: User = { id: 'ada', name: 'Ada' };
const generation = { id: 'mine', conversationId: '0199aaaa-0000-7000-8000-000000000001', documentId: null };

interface StageOptions {
  /** Called when the generation is looked at. */
  look?: () => void;
  hasEnded?: boolean;
  after?: string;
  /** What the log has behind `after`. */
  behind?: Frame[];
}

/** One client's stream of one generation. */
function stage({ look, hasEnded = false, after, behind = [] }: StageOptions = {}) {
  let listener: RoomListener | undefined;
  let told = 1;
  const sent: Frame[] = [];
  const close = () => {
    stream.closed = true;
  };
  const stream = {
    closed: false,
    onClose: () => undefined,
    open: () => undefined,
    send: (frame: Frame) => sent.push(frame),
    congested: false,
    drained: () => Promise.resolve(),
    end: vi.fn(close),
    close: vi.fn(close),
  };
  const response = { status: vi.fn(() => response), end: vi.fn() };
  const gateway = {
    hub: {
      watch: (_room: string, its: RoomListener) => {
        listener = its;
        return Promise.resolve({ last: '1-0', fill: () => undefined, close: () => undefined });
      },
    },
    snapshots: {
      generation: () => {
        look?.();
        const terminal = hasEnded ? new Frame('generation.completed', '1-0', '{}') : undefined;
        return Promise.resolve({ cursor: '1-0', snapshot: {}, terminal });
      },
    },
    reader: {
      read: (_room: string, cursor: string) => Promise.resolve(cursor === after ? behind : []),
    },
    presence: { enter: () => () => undefined },
    log: pino({ level: 'silent' }),
  };
  const streaming = streamGeneration(
    gateway as unknown as Gateway,
    stream as unknown as EventStream,
    response as unknown as Response,
    ada,
    generation,
    after,
  );
  return {
    streaming,
    sent,
    stream,
    response,
    tell: (type: string, payload: object) => {
      listener?.entry({ cursor: `${(told += 1)}-0`, type, data: JSON.stringify({ type, ...payload }) });
    },
  };
}

beforeEach(() => {
  right.stands = true;
  outbox.hasEnd = false;
});

describe('the stream of a generation', () => {
  test('holds that generation alone, whatever others say of it, and ends with it', async () => {
    const { streaming, sent, stream, tell } = stage();
    await streaming;
    await new Promise((resolve) => setImmediate(resolve));
    const chunk = { type: 'content_block_delta', delta: { text: '"generationId":"mine"' } };
    tell('generation.chunk', { generationId: 'another', chunk });
    tell('generation.chunk', { generationId: 'mine, and more', chunk });
    tell('generation.completed', { generationId: 'another', message: { generationId: 'mine' } });
    tell('message.updated', { message: { generationId: 'mine' } });
    expect(sent.map(({ type }) => type)).toEqual(['snapshot']);
    expect(stream.end).not.toHaveBeenCalled();
    tell('generation.chunk', { generationId: 'mine', chunk });
    tell('generation.completed', { generationId: 'mine', message: null });
    expect(sent.map(({ type }) => type)).toEqual(['snapshot', 'generation.chunk', 'generation.completed']);
    expect(stream.end).toHaveBeenCalledOnce();
  });

  test('is refused to who lost the right before the look at the log, which then has nothing more to say of it', async () => {
    const { streaming, sent } = stage({
      look: () => {
        right.stands = false;
      },
    });
    await expect(streaming).rejects.toMatchObject({ code: 'not_found' });
    expect(sent).toEqual([]);
  });

  const behind = (generationId: string) =>
    new Frame('generation.completed', '2-0', `{"generationId":"${generationId}"}`);

  test.for([
    ['has nothing behind the cursor', []],
    ['has of others alone', [behind('another')]],
  ] as const)('that has ended is not opened where the log %s', async ([, frames]) => {
    const { streaming, sent, stream, response } = stage({
      hasEnded: true,
      after: '1-0',
      behind: [...frames],
    });
    await streaming;
    expect(response.status).toHaveBeenCalledWith(204);
    expect(stream.close).toHaveBeenCalledOnce();
    expect(sent).toEqual([]);
  });

  test('that has ended gives what the log has behind the cursor', async () => {
    const { streaming, sent, stream, response } = stage({
      hasEnded: true,
      after: '1-0',
      behind: [behind('another'), behind('mine')],
    });
    await streaming;
    expect(response.status).not.toHaveBeenCalled();
    expect(sent.map(({ cursor }) => cursor)).toEqual(['2-0']);
    expect(stream.end).toHaveBeenCalled();
  });

  test('that has ended does not stay open where its last event was told before the cursor, and only then taken note of', async () => {
    outbox.hasEnd = true;
    const { streaming, stream, response } = stage({ hasEnded: true, after: '1-0' });
    await streaming;
    expect(response.status).not.toHaveBeenCalled();
    for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(stream.end).not.toHaveBeenCalled();
    outbox.hasEnd = false;
    await vi.waitFor(() => {
      expect(stream.end).toHaveBeenCalledOnce();
    });
  });

  test('that runs is opened behind the newest cursor', async () => {
    const { streaming, stream, response, tell } = stage({ after: '1-0' });
    await streaming;
    expect(response.status).not.toHaveBeenCalled();
    await new Promise((resolve) => setImmediate(resolve));
    tell('generation.completed', { generationId: 'mine', message: null });
    expect(stream.end).toHaveBeenCalledOnce();
  });
});
