import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAuth } from '../../../src/api/auth.js';

const days = 86_400_000;
const secret = 'a secret of the tests, of more than 32 bytes';
const ada = { id: 'ada', name: 'Ada' };

const verify = vi.spyOn(crypto.subtle, 'verify');
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  verify.mockClear();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a token that comes again costs no signature', async () => {
  const auth = createAuth({ mode: 'guest', secret });
  const { token } = await auth.issue(ada);
  const first = await auth.authenticate(token);
  expect(await auth.authenticate(token)).toEqual(first);
  expect(first.user).toEqual(ada);
  expect(verify).toHaveBeenCalledOnce();
});

test('a token that was good is refused when it has ended', async () => {
  const auth = createAuth({ mode: 'guest', secret });
  const { token } = await auth.issue(ada);
  await auth.authenticate(token);
  vi.setSystemTime(Date.now() + 29 * days);
  await auth.authenticate(token);
  vi.setSystemTime(Date.now() + 2 * days);
  await expect(auth.authenticate(token)).rejects.toMatchObject({
    code: 'unauthenticated',
    message: 'The token has expired.',
  });
});

test('a token that was refused is refused again', async () => {
  const auth = createAuth({ mode: 'guest', secret });
  const { token } = await createAuth({ mode: 'guest', secret: secret.toUpperCase() }).issue(ada);
  for (let time = 0; time < 2; time += 1)
    await expect(auth.authenticate(token)).rejects.toMatchObject({ code: 'unauthenticated' });
});
