import { pino } from 'pino';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { ServiceContext } from '../../../src/service/service-context.js';
import { cancelWhenUnwatched, type IsWatched } from '../../../workers/unwatched.js';

/** Time, which passes only where it is waited for; and what Postgres does. */
const world = vi.hoisted(() => ({ now: 0, cancel: () => {} }));

vi.mock('node:timers/promises', () => ({
  setTimeout: (ms: number) => {
    world.now += ms;
    return Promise.resolve();
  },
}));
vi.mock('../../../src/service/work.js', () => ({
  transact: () => {
    world.cancel();
    return Promise.resolve();
  },
}));

const context = { log: pino({ level: 'silent' }) } as Partial<ServiceContext> as ServiceContext;
const cancel = vi.fn();

beforeEach(() => {
  world.now = 1_000_000;
  vi.spyOn(Date, 'now').mockImplementation(() => world.now);
  cancel.mockReset();
  world.cancel = cancel;
});

/** When the generation is cancelled, in ms from the beginning, where the answers are these, one a look. */
async function cancelledAfter(
  answers: (boolean | undefined | 'fails')[],
  cancelAfterMs = 3000,
): Promise<number> {
  const begun = world.now;
  const left = [...answers];
  const last = left.at(-1);
  const isWatched: IsWatched = () => {
    const answer = left.length > 0 ? left.shift() : last;
    return answer === 'fails' ? Promise.reject(new Error('Redis is away')) : Promise.resolve(answer);
  };
  const generation = {
    id: 'g',
    conversationId: '0199aaaa-0000-7000-8000-000000000001',
    documentId: null,
    options: { onUnwatched: { cancelAfterMs } },
  };
  await cancelWhenUnwatched(context, isWatched, generation, new AbortController().signal);
  return world.now - begun;
}

describe('a generation that is to be watched', () => {
  test('is cancelled when nobody has watched it for so long, from its beginning on', async () => {
    expect(await cancelledAfter([false])).toBe(3000);
    expect(cancel).toHaveBeenCalledOnce();
    expect(await cancelledAfter([false], 0)).toBe(0);
    expect(await cancelledAfter([false], 2500)).toBe(2500);
  });

  test('has all of the time again after somebody has watched it', async () => {
    expect(await cancelledAfter([false, false, true, false])).toBe(3000 + 3000);
  });

  test('counts as watched where it is not known, since Redis was wiped and nobody has said again', async () => {
    expect(await cancelledAfter([undefined, undefined, undefined, undefined, undefined, false])).toBe(
      5000 + 3000,
    );
    expect(await cancelledAfter([false, false, undefined, false])).toBe(3000 + 3000);
  });

  test('counts as watched while Redis is away, and until the gateways have said again who watches', async () => {
    // Five looks in vain, then five seconds, in which the presence that is there is not believed.
    const looks = ['fails', 'fails', 'fails', 'fails', 'fails', false] as const;
    expect(await cancelledAfter([...looks])).toBe(4000 + 5000 + 3000);
    expect(await cancelledAfter(['fails', false], 0)).toBe(5000);
  });

  test('is cancelled later where Postgres is away', async () => {
    cancel.mockImplementationOnce(() => {
      throw new Error('away');
    });
    expect(await cancelledAfter([false])).toBe(4000);
    expect(cancel).toHaveBeenCalledTimes(2);
  });

  test('is looked at no more once its run is over, or where nothing was asked for', async () => {
    const isWatched = vi.fn<IsWatched>(() => Promise.resolve(false));
    const place = { id: 'g', conversationId: '0199aaaa-0000-7000-8000-000000000001', documentId: null };
    const over = AbortSignal.abort();
    await cancelWhenUnwatched(
      context,
      isWatched,
      { ...place, options: { onUnwatched: { cancelAfterMs: 0 } } },
      over,
    );
    const { signal } = new AbortController();
    await cancelWhenUnwatched(context, isWatched, { ...place, options: {} }, signal);
    await cancelWhenUnwatched(context, isWatched, { ...place, options: { onUnwatched: 'continue' } }, signal);
    expect(isWatched).not.toHaveBeenCalled();
    expect(cancel).not.toHaveBeenCalled();
  });
});
