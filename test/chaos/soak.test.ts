import { expect, test } from 'vitest';
import { isFlat, runSoak } from './soak/run-soak.js';

/** `npm run soak` goes on for ten minutes, and sees what is smaller. */
test('the memory of api and worker is flat while people ask, come and go', async () => {
  const report = await runSoak({
    // Each connection to Postgres builds and keeps its statements as they first come.
    warmUpRounds: 3,
    isEnough: (rounds) => rounds === 3,
    generationsPerRound: 40,
  });
  expect(isFlat(report), `a round has left ${JSON.stringify(report.leftByRound)}`).toBe(true);
});
