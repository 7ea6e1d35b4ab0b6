import { expect, test } from 'vitest';
import { createLogger } from '../../../src/lib/logger.js';

function logged(fields: object): Record<string, unknown> {
  let written = '';
  const destination = { write: (line: string) => (written += line) };
  createLogger({ level: 'info', role: 'api', destination }).info(fields, 'hello');
  return JSON.parse(written) as Record<string, unknown>;
}

test('lines are JSON with role and message', () => {
  expect(logged({ port: 1 })).toMatchObject({ role: 'api', msg: 'hello', port: 1 });
});

test('secrets are left out at every usual depth', () => {
  const secrets = {
    authorization: 'Bearer s3cret',
    'x-api-key': 's3cret',
    token: 's3cret',
    access_token: 's3cret',
  };
  const line = logged({ ...secrets, headers: secrets, req: { headers: secrets } });
  expect(JSON.stringify(line)).not.toContain('s3cret');
  expect(line).toMatchObject({ req: { headers: { 'x-api-key': '[redacted]' } } });
});

test('a token in a URL is left out', () => {
  expect(logged({ url: '/v1/events?room=a&access_token=s3cret&x=1' }).url).toBe(
    '/v1/events?room=a&access_token=[redacted]&x=1',
  );
});
