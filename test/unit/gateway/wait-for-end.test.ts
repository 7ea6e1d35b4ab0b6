import { getEventListeners } from 'node:events';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Frame } from '../../../src/gateway/frame.js';
import type { Gateway } from '../../../src/gateway/gateway.js';
import { waitForEnd } from '../../../src/gateway/generation-stream.js';
import type { RoomListener } from '../../../src/redis/room-feed.js';

const generation = { id: 'g', conversationId: '0199aaaa-0000-7000-8000-000000000001', documentId: null };
const ada = { id: 'ada', name: 'Ada' };

/** A gateway on which a request waits. */
function stage({ fails = false } = {}) {
  let listener: RoomListener | undefined;
  const close = vi.fn();
  const leave = vi.fn();
  const state = { hasEnded: false };
  const gateway = {
    hub: {
      watch: (_room: string, its: RoomListener) => {
        if (fails) return Promise.reject(new Error('Redis is away'));
        listener = its;
        return Promise.resolve({ close });
      },
    },
    snapshots: {
      generation: () =>
        Promise.resolve({
          terminal: state.hasEnded ? new Frame('generation.completed', '1-0', '{}') : undefined,
        }),
    },
    presence: { enter: () => leave },
    log: pino({ level: 'silent' }),
  } as unknown as Gateway;
  const [request, process] = [new AbortController(), new AbortController()];
  const signals = [request.signal, process.signal];
  const wait = () => waitForEnd(gateway, ada, generation, 1000, signals);
  const settle = () => vi.advanceTimersByTimeAsync(0);
  /** An event of the room. */
  const tell = (type: string, generationId: string) => {
    listener?.entry({ cursor: '1-0', type, data: `{"type":"${type}","generationId":"${generationId}"}` });
  };
  const expectNothingLeft = () => {
    for (const signal of signals) expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    expect(leave).toHaveBeenCalledOnce();
    if (!fails) expect(close).toHaveBeenCalledOnce();
  };
  return { wait, settle, tell, request, process, state, reset: () => listener?.reset(), expectNothingLeft };
}

type Stage = ReturnType<typeof stage>;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('waiting for the end of a generation', () => {
  test.for<[string, (on: Stage) => unknown]>([
    [
      'its end is told',
      ({ tell }) => {
        tell('generation.completed', 'g');
      },
    ],
    [
      'the log begins anew, and it has ended',
      ({ state, reset }) => {
        state.hasEnded = true;
        reset();
      },
    ],
    [
      'the client leaves',
      ({ request }) => {
        request.abort();
      },
    ],
    [
      'the process is to stop',
      ({ process }) => {
        process.abort();
      },
    ],
    ['the time is up', () => vi.advanceTimersByTimeAsync(1000)],
  ])('is over when %s, and leaves nothing behind', async ([, happen]) => {
    const on = stage();
    const over = vi.fn();
    const waiting = on.wait().then(over);
    await on.settle();
    on.tell('generation.chunk', 'g');
    on.tell('generation.completed', 'another');
    on.reset();
    await on.settle();
    expect(over).not.toHaveBeenCalled();
    await happen(on);
    await waiting;
    on.expectNothingLeft();
  });

  test('is over at once where it had ended before anybody listened', async () => {
    const on = stage();
    on.state.hasEnded = true;
    await on.wait();
    on.expectNothingLeft();
  });

  test('is not begun for who has left', async () => {
    const on = stage();
    on.request.abort();
    await on.wait();
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(on.process.signal, 'abort')).toEqual([]);
  });

  test('takes its time where Redis cannot be listened to', async () => {
    const on = stage({ fails: true });
    const waiting = on.wait();
    await vi.advanceTimersByTimeAsync(1000);
    await waiting;
    on.expectNothingLeft();
  });
});
