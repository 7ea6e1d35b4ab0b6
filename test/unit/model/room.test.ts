import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { playRoom, plans, type Sleep } from './room-model.js';

const clock = vi.hoisted(() => ({ sleep: undefined as Sleep | undefined }));

vi.mock('node:timers/promises', () => ({
  setTimeout: (...args: Parameters<Sleep>) => clock.sleep?.(...args),
}));

/** `npm run model` sets more. */
const runs = Number(process.env.MODEL_RUNS ?? 1500);
const seed = process.env.MODEL_SEED;

test(
  'whatever happens in whatever order, every client holds at every cursor the text that the log has there',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), plans, async (scheduler, plan) => {
        const faults = await playRoom(scheduler, plan, (sleep) => {
          clock.sleep = sleep;
        });
        expect(faults).toEqual([]);
      }),
      { numRuns: runs, ...(seed !== undefined && { seed: Number(seed) }) },
    );
  },
  Math.max(60_000, runs * 50),
);
