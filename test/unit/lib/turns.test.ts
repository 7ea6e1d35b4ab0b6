import { afterEach, expect, test, vi } from 'vitest';
import { Turns } from '../../../src/lib/turns.js';

const budgetMs = 2;

let now = 0;
vi.spyOn(performance, 'now').mockImplementation(() => now);
afterEach(() => {
  now = 0;
});

/** What is done, each of which takes so long, and `turn` for every turn of the event loop until nothing is left. */
async function order(works: number, eachMs: number): Promise<string[]> {
  const turns = new Turns(budgetMs);
  const done: string[] = [];
  for (let n = 0; n < works; n += 1)
    turns.run(() => {
      now += eachMs;
      done.push(String(n));
    });
  while (done.filter((each) => each !== 'turn').length < works) {
    await new Promise((resolve) => setImmediate(resolve));
    done.push('turn');
  }
  return done;
}

test('what takes little is done in one turn, in the order of its coming', async () => {
  expect(await order(5, 0.1)).toEqual(['0', '1', '2', '3', '4', 'turn']);
});

test('what takes longer than the budget leaves turns to everything else', async () => {
  expect(await order(4, 1)).toEqual(['0', '1', 'turn', '2', '3', 'turn']);
  expect(await order(3, 5)).toEqual(['0', 'turn', '1', 'turn', '2', 'turn']);
});

test('what comes while others wait comes behind them', async () => {
  const turns = new Turns(budgetMs);
  const done: string[] = [];
  const work = (name: string) => () => {
    now += 5;
    done.push(name);
    if (name === 'first') turns.run(work('late'));
  };
  turns.run(work('first'));
  turns.run(work('second'));
  await turns.next();
  await turns.next();
  expect(done).toEqual(['first', 'second', 'late']);
});
