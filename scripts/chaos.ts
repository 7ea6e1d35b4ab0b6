import { parseArgs } from 'node:util';
import { runChaos } from '../test/chaos/mixed/run-chaos.js';

/** `npm run chaos -- --minutes 10 --seed 7`: mixes faults over a real system and checks what everybody saw. */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const startedAt = Date.now();
console.log(`seed ${seed}, ${minutes} min`);
const { violations, faults, ends, events } = await runChaos({
  seed,
  durationMs: minutes * 60_000,
  say: (line) => {
    console.log(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(7)} s  ${line}`);
  },
});
console.log(`${faults.length} faults, ${events} events, generations: ${JSON.stringify(ends)}`);
for (const { kind, client, detail } of violations.slice(0, 50))
  console.error(`${kind}: ${client}: ${detail}`);
console.log(violations.length === 0 ? 'nothing was wrong' : `${violations.length} violations (seed ${seed})`);
process.exit(violations.length === 0 ? 0 : 1);
