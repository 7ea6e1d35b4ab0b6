import { afterAll, describe, expect, test } from 'vitest';
import { ThreadPool } from '../../../../src/lib/thread-pool.js';
import { createCalculator } from '../../../../workers/tools/calculator.js';
import { ToolError } from '../../../../workers/tools/tool.js';

const threads = new ThreadPool();
const calculator = createCalculator(threads);
afterAll(() => threads.close());

const { signal } = new AbortController();
const calculate = (expression: unknown) => calculator.run({ expression }, signal);

describe('the calculator', () => {
  test.each([
    ['0.1 + 0.2', '0.3'],
    ['12.5 * (3 + 4) ^ 2', '612.5'],
    ['1 / 3', '0.33333333333333333333'],
    ['2 ^ 100', '1267650600228229401496703205376'],
    ['round(sqrt(2) * 100, 2)', '141.42'],
    ['15% * 80', '12'],
    ['5!', '120'],
    ['max(3, 7, 5) > 6 ? 1 : 0', '1'],
    ['1 / 0', 'Infinity'],
  ])('works out %s', async (expression, result) => {
    expect(await calculate(expression)).toEqual({ text: result, isError: false });
  });

  test.each([
    'import("fs")',
    'evaluate("1")',
    'cos.constructor("return process")()',
    'a = 3',
    'f(x) = x',
    '[1, 2, 3]',
    '1:1000000000',
    '"text"',
    '5 inch',
    '1; 2',
    'x',
  ])('refuses %s', async (expression) => {
    await expect(calculate(expression)).rejects.toThrow(ToolError);
  });

  test.each(['', '2 +', 'x'.repeat(501), 7])('says what is wrong with %j', async (expression) => {
    await expect(calculate(expression)).rejects.toThrow(ToolError);
  });

  test('gives up what takes too long, and goes on afterwards', async () => {
    await expect(calculate('factorial(10000000)')).rejects.toThrow('The calculation took longer');
    expect(await calculate('1 + 1')).toEqual({ text: '2', isError: false });
  }, 15_000);

  test('stops when it is cancelled', async () => {
    const controller = new AbortController();
    const running = calculator.run({ expression: 'factorial(10000000)' }, controller.signal);
    const failed = expect(running).rejects.toThrow('enough');
    controller.abort(new Error('enough'));
    await failed;
  });
});
