import { DrizzleQueryError } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { createLogger } from '../../../src/lib/logger.js';
import { reasonOf } from '../../../src/lib/root-cause.js';

/** What drizzle throws when a statement fails: its message and its properties carry the values. */
const failed = () => {
  const cause = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (text)=(hush)' });
  const query = new DrizzleQueryError('insert into messages values ($1)', ['hush'], cause);
  return new Error('could not be stored', { cause: query });
};

test('a logged error is its root cause, without the values of the query', () => {
  let line = '';
  const log = createLogger({
    level: 'trace',
    role: 'test',
    destination: { write: (text) => (line += text) },
  });
  log.error({ err: failed() }, 'failed');
  expect(line).not.toContain('hush');
  expect(JSON.parse(line)).toMatchObject({
    err: { type: 'Error', message: 'duplicate key', code: '23505', stack: expect.any(String) as unknown },
  });
});

test('what is thrown although it is no error is logged too', () => {
  let line = '';
  const log = createLogger({
    level: 'trace',
    role: 'test',
    destination: { write: (text) => (line += text) },
  });
  log.error({ err: 'a mere text' }, 'failed');
  expect(JSON.parse(line)).toMatchObject({ err: { message: 'a mere text' } });
});

test('a reason is the root cause in one line', () => {
  expect(String(failed().cause)).toContain('hush');
  expect(reasonOf(failed())).toBe('Error: duplicate key');
  expect(reasonOf('text')).toBe('text');
});
