import { setTimeout as sleep } from 'node:timers/promises';
import type { RoughProxy } from '../../support/rough-proxy.js';
import type { TestPostgres, TestRedis } from '../../support/stores.js';
import type { System, SystemProcess } from '../../support/system.js';

export interface Victims {
  system: System;
  redis: TestRedis;
  postgres: TestPostgres;
  proxies: readonly RoughProxy[];
}

/** Does harm and puts it right again, except for what the product has to put right. */
export type Fault = (victims: Victims, random: () => number) => Promise<void>;

const pick = <T>(items: readonly T[], random: () => number): T => {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('there is nothing to pick from');
  return item;
};

/** Ends a process in this way and starts it again a moment later. */
async function restart(victim: SystemProcess, signal: 'SIGKILL' | 'SIGTERM', awayMs: number): Promise<void> {
  victim.kill(signal);
  await victim.exited();
  await sleep(awayMs);
  await victim.start();
}

async function whilePaused(
  victim: { pause: () => void; resume: () => void },
  pausedMs: number,
): Promise<void> {
  victim.pause();
  await sleep(pausedMs);
  victim.resume();
}

const hangable = (victim: SystemProcess) => ({
  pause: () => {
    victim.kill('SIGSTOP');
  },
  resume: () => {
    victim.kill('SIGCONT');
  },
});

export const faults: Record<string, Fault> = {
  'a worker is killed': ({ system }, random) =>
    restart(pick(system.workers, random), 'SIGKILL', random() * 2000),
  'a worker is told to stop': ({ system }, random) =>
    restart(pick(system.workers, random), 'SIGTERM', random() * 1000),
  'a worker hangs': ({ system }, random) =>
    whilePaused(hangable(pick(system.workers, random)), 1000 + random() * 8000),
  'an api is killed': ({ system }, random) => restart(pick(system.apis, random), 'SIGKILL', random() * 2000),
  'an api is told to stop': ({ system }, random) =>
    restart(pick(system.apis, random), 'SIGTERM', random() * 1000),
  'an api hangs': ({ system }, random) =>
    whilePaused(hangable(pick(system.apis, random)), 500 + random() * 4000),
  'Redis is restarted': async ({ redis }, random) => {
    await redis.stop();
    await sleep(random() * 3000);
    await redis.start();
  },
  'Redis hangs': ({ redis }, random) =>
    whilePaused(
      {
        pause: () => {
          redis.pause();
        },
        resume: () => {
          redis.resume();
        },
      },
      500 + random() * 5000,
    ),
  'Redis is wiped': ({ redis }) => redis.wipe(),
  'Postgres hangs': ({ postgres }, random) =>
    whilePaused(
      {
        pause: () => {
          postgres.pause();
        },
        resume: () => {
          postgres.resume();
        },
      },
      500 + random() * 5000,
    ),
  'all clients of a way are cut off': ({ proxies }, random) => {
    pick(proxies, random).reset();
    return Promise.resolve();
  },
  'clients read nothing': async ({ proxies }, random) => {
    const proxy = pick(proxies, random);
    proxy.set({ bytesPerSecond: 0 });
    await sleep(1000 + random() * 4000);
    proxy.set({ bytesPerSecond: Infinity });
  },
  'clients are slow': async ({ proxies }, random) => {
    const proxy = pick(proxies, random);
    proxy.set({ latencyMs: 50, jitterMs: 100, bytesPerSecond: 20_000 });
    await sleep(2000 + random() * 4000);
    proxy.set({ latencyMs: 0, jitterMs: 0, bytesPerSecond: Infinity });
  },
};
