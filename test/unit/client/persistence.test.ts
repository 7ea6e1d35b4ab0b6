import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RoomConnection } from '../../../src/client/room-connection.js';
import type { RoomConnectionOptions } from '../../../src/client/room-view.js';
import { SessionRenewal } from '../../../src/client/session-renewal.js';
import { SessionTokens } from '../../../src/client/session-tokens.js';
import { watchConversation } from '../../../src/client/watch.js';
import { FakeGateway } from './fake-gateway.js';
import { conversation, conversationId } from './sample.js';

const snapshot = { conversation: conversation(), messages: [], generations: [], users: [] };

describe('how long a connection tries', () => {
  let gateway: FakeGateway;
  let url: string;
  let connection: RoomConnection | undefined;

  beforeEach(async () => {
    gateway = new FakeGateway();
    url = await gateway.listen();
  });
  afterEach(async () => {
    connection?.close();
    await gateway.close();
  });

  const watch = (options: Partial<RoomConnectionOptions>) => {
    const watched = watchConversation(conversationId, {
      url,
      getToken: () => 'first',
      transports: ['websocket'],
      retryDelayMs: 1,
      ...options,
    });
    connection = watched;
    const until = (state: string) =>
      vi.waitFor(() => {
        expect(watched.getSnapshot().connection.state).toBe(state);
      });
    return { watched, until };
  };
  const admit = async () => {
    const join = await gateway.nextJoin();
    join.answer({ ok: true, resumed: false, cursor: '1-0', snapshot });
  };
  const away = { ok: false, error: { code: 'unavailable', message: 'Redis is away.' } } as const;

  test('is as many retries as it may, counted from the last success, and ends in one typed error', async () => {
    const { watched, until } = watch({ maxRetries: 2 });
    for (let round = 0; round < 2; round += 1) {
      // Once lost and once refused: one try less than may fail.
      (await gateway.nextJoin()).answer(away);
      await admit();
      await until('live');
      gateway.cut();
    }
    for (let failed = 0; failed < 2; failed += 1) (await gateway.nextJoin()).answer(away);
    await until('closed');
    expect(watched.getSnapshot().connection).toMatchObject({
      error: { code: 'gave_up', cause: { detail: 'Redis is away.' } },
    });
    expect(gateway.connections).toBe(6);
  });

  test('is until its signal fires', async () => {
    const leaving = new AbortController();
    const { watched, until } = watch({ signal: leaving.signal });
    await admit();
    await until('live');
    leaving.abort();
    expect(watched.getSnapshot()).toMatchObject({
      connection: { state: 'closed', error: null },
      transport: null,
    });
    const late = watch({ signal: leaving.signal });
    expect(late.watched.getSnapshot().connection.state).toBe('closed');
    expect(gateway.connections).toBe(1);
  });

  test('outlives a token that is refused, where a fresh one can be had', async () => {
    let token = 'first';
    gateway.refuseWith = 'unauthenticated';
    const { until } = watch({
      getToken: () => token,
      renewToken: () => {
        token = 'fresh';
        gateway.refuseWith = undefined;
        return Promise.resolve();
      },
    });
    const join = await gateway.nextJoin();
    expect(join.token).toBe('fresh');
    join.answer({ ok: true, resumed: false, cursor: '1-0', snapshot });
    await until('live');
  });

  test('ends where the fresh token is refused too', async () => {
    const renewToken = vi.fn(() => Promise.resolve());
    gateway.refuseWith = 'unauthenticated';
    const { watched, until } = watch({ renewToken });
    await until('closed');
    expect(watched.getSnapshot().connection).toMatchObject({ error: { code: 'unauthenticated' } });
    expect(renewToken).toHaveBeenCalledTimes(1);
  });
});

describe('the renewal of a session that nobody tells the end of', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const tokenFor = (seconds: number) =>
    `header.${btoa(JSON.stringify({ sub: 'ada', exp: Math.floor(Date.now() / 1000) + seconds }))}.signature`;
  const renewal = () => {
    const renew = vi.fn(() => Promise.resolve());
    return { renew, renewal: new SessionRenewal({ renew, onEnd: () => undefined }) };
  };

  test('begins a minute before its token ends, though that be weeks ahead', async () => {
    const { renew, renewal: planned } = renewal();
    const seconds = 30 * 24 * 3600;
    planned.plan(tokenFor(seconds));
    await vi.advanceTimersByTimeAsync((seconds - 62) * 1000);
    expect(renew).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(3000);
    expect(renew).toHaveBeenCalledTimes(1);
  });

  test('is not asked for over and over where tokens are short, nor where a token does not say when it ends', async () => {
    const { renew, renewal: planned } = renewal();
    planned.plan(tokenFor(30), true);
    await vi.advanceTimersByTimeAsync(9000);
    expect(renew).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2000);
    expect(renew).toHaveBeenCalledTimes(1);
    for (const token of [null, '', 'opaque', 'a.b.c', `a.${btoa('{"exp":"soon"}')}.c`]) planned.plan(token);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('the tokens of a session are renewed once for all who ask at the same time', async () => {
  const asked: (string | null)[] = [];
  const kept: string[] = [];
  const tokens = new SessionTokens({
    url: 'http://tokencast.test',
    token: 'first',
    onRenewed: ({ token }) => kept.push(token),
    fetch: (_input, init) => {
      asked.push(new Headers(init?.headers).get('authorization'));
      return Promise.resolve(Response.json({ token: `token ${asked.length}`, user: {}, expiresAt: '' }));
    },
  });
  await Promise.all([tokens.renewToken(), tokens.renewToken()]);
  expect(tokens.getToken()).toBe('token 1');
  await tokens.renewToken();
  expect(asked).toEqual(['Bearer first', 'Bearer token 1']);
  expect(kept).toEqual(['token 1', 'token 2']);
});
