import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Person } from '../../support/person.js';
import { startSystem, type System } from '../../support/system.js';
import { PlainSocket } from './plain-socket.js';

/** A socket that asks without end is refused, and then closed; others do not wait for it. */

let system: System;
let ada: Person;
let eve: Person;
let room: string;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  ada = await Person.signIn(system.api(), 'Ada');
  eve = await Person.signIn(system.api(), 'Eve');
  const id = await eve.converse();
  await system.addMember(id, ada.user.id);
  room = `conversation:${id}`;
});
afterAll(() => system.stop());

const open = (person: Person) => PlainSocket.connect(system.api().url, person.token);

test('joins past the limit are refused with a clear word, and somebody else joins meanwhile', async () => {
  const [flooding, other] = [await open(eve), await open(ada)];
  const asked = Array.from({ length: 350 }, (_, i) =>
    // Rooms that are not there are looked for, too.
    flooding.ask('join', { room: i % 2 ? room : `document:${randomUUID()}` }),
  );
  expect(await other.ask('join', { room })).toMatchObject({ ok: true });
  const acks = await Promise.all(asked);
  const refused = acks.filter(({ error }) => error?.code === 'rate_limited');
  expect(refused).toEqual(acks.slice(300));
  expect(refused[0]?.error?.message).toMatch(
    /^A socket may send "join" at most 300 times in 30 s: try again in \d+ s\.$/,
  );
  flooding.close();
  const fresh = await open(eve);
  expect(await fresh.ask('join', { room })).toMatchObject({ ok: true });
  fresh.close();
  other.close();
});

test('whoever joins one room again and again is in it in the end', async () => {
  const socket = await open(ada);
  const asked = Array.from({ length: 20 }, () => socket.ask('join', { room }));
  expect((await Promise.all(asked)).at(-1)).toMatchObject({ ok: true });
  expect(await socket.ask('typing', { room, typing: true })).toEqual({ ok: true });
  socket.close();
});

test('typing past the limit is refused, and the room is told once a second at most', async () => {
  const [flooding, other] = [await open(eve), await open(ada)];
  for (const socket of [flooding, other]) await socket.ask('join', { room });
  const acks = await Promise.all(
    Array.from({ length: 130 }, () => flooding.ask('typing', { room, typing: true })),
  );
  expect(acks.slice(0, 100)).toEqual(Array.from({ length: 100 }, () => ({ ok: true })));
  const refused = acks.slice(100);
  expect(refused.map(({ error }) => error?.code)).toEqual(refused.map(() => 'rate_limited'));
  expect(refused[0]?.error?.message).toMatch(/^A socket may send "typing" at most 100 times in 10 s: /);
  expect(await other.ask('typing', { room, typing: true })).toEqual({ ok: true });
  await other.waitFor('typing');
  // Renewals of what the room knows are not passed on within a second.
  const told = other.events.filter(({ type, user }) => type === 'typing' && isEve(user));
  expect(told.length).toBeLessThan(10);
  flooding.close();
  other.close();
});

const isEve = (user: unknown) => (user as { id: string }).id === eve.user.id;

test('a socket that does not stop is closed, and the others stay', async () => {
  const [flooding, other] = [await open(eve), await open(ada)];
  for (let i = 0; i < 1600; i += 1) flooding.ask('leave', { room }).catch(() => undefined);
  expect(await flooding.closed).toBe('io server disconnect');
  expect(await other.ask('join', { room })).toMatchObject({ ok: true });
  other.close();
});
