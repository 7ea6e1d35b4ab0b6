import { parseArgs } from 'node:util';
import { isFlat, runSoak } from '../test/chaos/soak/run-soak.js';

/** `npm run soak -- --minutes 10`: keeps a system busy and looks whether its memory grows. */
const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const endsAt = Date.now() + Number(values.minutes) * 60_000;
const report = await runSoak({
  warmUpRounds: 1,
  isEnough: (rounds) => rounds >= 3 && Date.now() > endsAt,
  generationsPerRound: 500,
  say: (line) => {
    console.log(line);
  },
});
console.log(`${report.rounds} rounds; each has left: ${JSON.stringify(report.leftByRound)}`);
console.log(isFlat(report) ? 'memory is flat' : 'memory grows');
process.exit(isFlat(report) ? 0 : 1);
