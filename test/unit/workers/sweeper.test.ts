import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../../../src/lib/logger.js';
import { Sweeper, type Sweep } from '../../../workers/sweeper.js';

const log = createLogger({ level: 'silent', role: 'test' });
const everyMs = 5;

/** A lease that one of its takers has at a time, for as long as they do not give it back. */
class OneLease {
  holder: string | undefined;
  away = false;
  readonly takers: string[] = [];
  /** Who has given it back. */
  readonly leavers: string[] = [];

  of(name: string) {
    return {
      take: () => {
        if (this.away) return Promise.reject(new Error('Redis is away'));
        this.takers.push(name);
        this.holder ??= name;
        return Promise.resolve(this.holder === name);
      },
      end: () => {
        this.leavers.push(name);
        if (this.holder === name) this.holder = undefined;
        return Promise.resolve();
      },
    };
  }
}

function startAll(lease: OneLease, name: string, sweeps: readonly Sweep[]) {
  const sweeper = new Sweeper({ sweeps, lease: lease.of(name), log, everyMs, stuckMs: 20 });
  sweeper.start();
  onTestFinished(() => sweeper.close());
  return sweeper;
}

/** Starts a sweeper with one sweep. */
const start = (lease: OneLease, name: string, run: () => Promise<unknown>, more: Partial<Sweep> = {}) =>
  startAll(lease, name, [{ name: 'sweep', everyMs, run, ...more }]);

/** A promise, and how it is kept. */
function withResolvers() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** A sweep that notes who ran it. */
const noting = (ran: string[], name: string) => () => Promise.resolve(ran.push(name));

/** Resolves when everyone of these has looked so many more times. */
const looks = async (lease: OneLease, names: readonly string[], times: number) => {
  const before = lease.takers.length;
  await expect
    .poll(() => names.map((name) => lease.takers.slice(before).filter((taker) => taker === name).length))
    .toSatisfy((counts: number[]) => counts.every((count) => count >= times));
};

test('one of several sweeps, and another one as soon as it has been closed', async () => {
  const lease = new OneLease();
  const ran: string[] = [];
  const first = start(lease, 'a', noting(ran, 'a'));
  start(lease, 'b', noting(ran, 'b'));
  await looks(lease, ['a', 'b'], 5);
  expect(new Set(ran)).toEqual(new Set(['a']));
  await first.close();
  ran.length = 0;
  await expect.poll(() => ran.length).toBeGreaterThan(2);
  expect(new Set(ran)).toEqual(new Set(['b']));
});

test('all sweep while Redis does not answer', async () => {
  const lease = new OneLease();
  lease.away = true;
  const ran: string[] = [];
  start(lease, 'a', noting(ran, 'a'));
  start(lease, 'b', noting(ran, 'b'));
  await expect.poll(() => new Set(ran)).toEqual(new Set(['a', 'b']));
});

test('one whose sweeps fail leaves them to another', async () => {
  const lease = new OneLease();
  const ran: string[] = [];
  start(lease, 'a', () => Promise.reject(new Error('Postgres is away')));
  await looks(lease, ['a'], 1);
  start(lease, 'b', noting(ran, 'b'));
  await expect.poll(() => lease.holder).toBe('b');
  await expect.poll(() => ran.length).toBeGreaterThan(0);
});

test('where there is no other, one whose sweep fails seldom gives way: the others keep their pace', async () => {
  const lease = new OneLease();
  const ran: string[] = [];
  const failing: Sweep = { name: 'fails', everyMs, run: () => Promise.reject(new Error('it always does')) };
  startAll(lease, 'a', [failing, { name: 'goes', everyMs, run: noting(ran, 'a') }]);
  await looks(lease, ['a'], 35);
  expect(lease.leavers.length).toBeGreaterThan(1);
  expect(lease.leavers.length).toBeLessThan(lease.takers.length / 8);
  expect(ran.length).toBeGreaterThan(0.8 * lease.takers.length);
});

test('a sweep that throws at once does not end the others', async () => {
  const lease = new OneLease();
  const ran: string[] = [];
  const throwing: Sweep = {
    name: 'throws',
    everyMs,
    run: () => {
      throw new Error('thrown, not rejected');
    },
  };
  startAll(lease, 'a', [throwing, { name: 'goes', everyMs, run: noting(ran, 'a') }]);
  await expect.poll(() => ran.length).toBeGreaterThan(3);
});

test('one whose sweep hangs leaves the others to another, and goes on with them where there is none', async () => {
  const lease = new OneLease();
  const ran: string[] = [];
  const hang = withResolvers();
  const hanging: Sweep = { name: 'hangs', everyMs, run: () => hang.promise };
  const going: Sweep = { name: 'goes', everyMs, run: noting(ran, 'a') };
  const sweeper = new Sweeper({
    sweeps: [hanging, going],
    lease: lease.of('a'),
    log,
    everyMs,
    stuckMs: 20,
  });
  sweeper.start();
  onTestFinished(async () => {
    hang.resolve();
    await sweeper.close();
  });
  await expect.poll(() => lease.holder).toBeUndefined();
  const before = ran.length;
  await expect.poll(() => ran.length).toBeGreaterThan(before + 3);
  start(lease, 'b', noting(ran, 'b'));
  await expect.poll(() => lease.holder).toBe('b');
});

test('a sweep is not begun again while it runs, nor before its time', async () => {
  const lease = new OneLease();
  let begun = 0;
  const once = withResolvers();
  start(lease, 'a', () => {
    begun += 1;
    return once.promise;
  });
  await looks(lease, ['a'], 3);
  expect(begun).toBe(1);
  once.resolve();
  await expect.poll(() => begun).toBeGreaterThan(1);

  let rare = 0;
  const other = new OneLease();
  start(other, 'a', () => Promise.resolve((rare += 1)), { everyMs: 60_000 });
  await looks(other, ['a'], 5);
  expect(rare).toBe(1);
});

test('closing waits for the sweep that runs', async () => {
  const lease = new OneLease();
  const sweep = withResolvers();
  const begun = withResolvers();
  const sweeper = start(lease, 'a', () => {
    begun.resolve();
    return sweep.promise;
  });
  await begun.promise;
  let closed = false;
  const closing = sweeper.close().then(() => {
    closed = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(closed).toBe(false);
  sweep.resolve();
  await closing;
  expect(lease.holder).toBeUndefined();
});
