import { defineConfig } from 'vitest/config';

/** Store-backed projects share one Redis and one Postgres for the whole run; each test file takes its own part of them. */
const storeBacked = {
  globalSetup: 'test/support/global-setup.ts',
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 10_000 },
      },
      {
        test: {
          ...storeBacked,
          name: 'integration',
          include: ['test/{integration,conformance}/**/*.test.ts'],
          maxWorkers: 3, // they wait more than they work
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...storeBacked,
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          // Ends what hangs; how long a repair may take, the tests say themselves.
          testTimeout: 180_000,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...storeBacked,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ['test/e2e/quality.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...storeBacked,
          name: 'quality',
          include: ['test/e2e/quality.test.ts'],
          // It measures what the page costs, so nothing runs beside it.
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
