import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Person } from '../../support/person.js';
import { startSystem, type System } from '../../support/system.js';

/**
 * Who may do what. `not_found`: who may not know of it; `forbidden`: who may know, but not do. Each cell is tried on
 * things of its own, so that nothing that another cell has done is in its way.
 */

const roles = ['owner', 'member', 'viewer', 'outsider', 'nobody'] as const;
type Role = (typeof roles)[number];

/** What the action is tried on. The message is the member's, the answer and its generation are still queued. */
interface Things {
  conversation: string;
  message: string;
  answer: string;
  generation: string;
  /** The member's and the viewer's user ids. */
  member: string;
  viewer: string;
  /** The token of an invitation, to be a viewer. */
  invite: string;
}

interface Row {
  action: string;
  /** HTTP: method, path and body; or a socket's events, of which the last one's answer counts. */
  request:
    | ((things: Things) => [method: string, path: string, body?: unknown])
    | { events: (things: Things) => [event: string, payload: object][] };
  /** In the order of the roles: an HTTP status, or the code of the refusal. */
  expected: [Outcome, Outcome, Outcome, Outcome, Outcome];
}
type Outcome = number | 'ok' | 'forbidden' | 'not_found' | 'unauthenticated' | 'nothing_to_continue';

const no = 'not_found';
const may = 'forbidden';
const who = 'unauthenticated';

// prettier-ignore
const table: Row[] = [
  //                                                                                                 owner member viewer outsider nobody
  { action: 'read a conversation', request: (t) => ['GET', `/v1/conversations/${t.conversation}`],           expected: [200, 200, 200, no, who] },
  { action: 'change a conversation', request: (t) => ['PATCH', `/v1/conversations/${t.conversation}`, { title: 'x' }], expected: [200, 200, may, no, who] },
  { action: 'delete a conversation', request: (t) => ['DELETE', `/v1/conversations/${t.conversation}`],      expected: [204, may, may, no, who] },
  { action: 'read its budget', request: (t) => ['GET', `/v1/conversations/${t.conversation}/budget`],         expected: [200, 200, 200, no, who] },
  { action: 'cancel all of a conversation', request: (t) => ['POST', `/v1/conversations/${t.conversation}/cancel`], expected: [200, 200, may, no, who] },
  { action: 'invite', request: (t) => ['POST', `/v1/conversations/${t.conversation}/invites`, { role: 'viewer' }], expected: [201, 201, may, no, who] },
  { action: 'invite somebody who writes', request: (t) => ['POST', `/v1/conversations/${t.conversation}/invites`, { role: 'member' }], expected: [201, 201, may, no, who] },
  { action: 'accept an invitation', request: (t) => ['POST', `/v1/invites/${t.invite}/accept`],             expected: [200, 200, 200, 200, who] },
  { action: 'accept one that is not there', request: (t) => ['POST', `/v1/invites/${t.invite}x/accept`],    expected: [no, no, no, no, who] },
  { action: 'list the members', request: (t) => ['GET', `/v1/conversations/${t.conversation}/members`],      expected: [200, 200, 200, no, who] },
  { action: 'remove the member', request: (t) => ['DELETE', `/v1/conversations/${t.conversation}/members/${t.member}`], expected: [204, 204, may, no, who] },
  { action: 'remove the viewer', request: (t) => ['DELETE', `/v1/conversations/${t.conversation}/members/${t.viewer}`], expected: [204, may, 204, no, who] },
  { action: 'say what was read', request: (t) => ['POST', `/v1/conversations/${t.conversation}/read`, { position: 0 }], expected: [204, 204, 204, no, who] },
  { action: 'list the messages', request: (t) => ['GET', `/v1/conversations/${t.conversation}/messages`],    expected: [200, 200, 200, no, who] },
  { action: 'ask', request: (t) => ['POST', `/v1/conversations/${t.conversation}/messages`, { content: 'x' }], expected: [202, 202, may, no, who] },
  { action: 'remark', request: (t) => ['POST', `/v1/conversations/${t.conversation}/messages`, { content: 'x', generate: false }], expected: [201, 201, may, no, who] },
  { action: 'clear the history', request: (t) => ['DELETE', `/v1/conversations/${t.conversation}/messages`], expected: [204, may, may, no, who] },
  { action: 'edit the member’s message', request: (t) => ['PATCH', `/v1/messages/${t.message}`, { content: 'x' }], expected: [may, 200, may, no, who] },
  { action: 'edit it and ask anew', request: (t) => ['PATCH', `/v1/messages/${t.message}`, { content: 'x', regenerate: true }], expected: [may, 202, may, no, who] },
  { action: 'edit an answer', request: (t) => ['PATCH', `/v1/messages/${t.answer}`, { content: 'x' }],       expected: [may, may, may, no, who] },
  { action: 'delete the member’s message', request: (t) => ['DELETE', `/v1/messages/${t.message}`],          expected: [204, 204, may, no, who] },
  { action: 'have it answered anew', request: (t) => ['POST', `/v1/messages/${t.message}/regenerate`, {}],   expected: [202, 202, may, no, who] },
  { action: 'have an answer made anew', request: (t) => ['POST', `/v1/messages/${t.answer}/regenerate`, {}], expected: [202, 202, may, no, who] },
  { action: 'read a generation', request: (t) => ['GET', `/v1/generations/${t.generation}`],                 expected: [200, 200, 200, no, who] },
  { action: 'cancel a generation', request: (t) => ['POST', `/v1/generations/${t.generation}/cancel`],       expected: [202, 202, may, no, who] },
  { action: 'delete its cached answer', request: (t) => ['DELETE', `/v1/generations/${t.generation}/cache`], expected: [may, 204, may, no, who] },
  { action: 'continue a generation', request: (t) => ['POST', `/v1/generations/${t.generation}/continue`],   expected: ['nothing_to_continue', 'nothing_to_continue', may, no, who] },
  { action: 'take a session', request: () => ['POST', '/v1/sessions', { name: 'x' }],                       expected: [201, 201, 201, 201, 201] },
  { action: 'renew one’s session', request: () => ['POST', '/v1/sessions/refresh'],                         expected: [200, 200, 200, 200, who] },
  { action: 'read who one is', request: () => ['GET', '/v1/me'],                                            expected: [200, 200, 200, 200, who] },
  { action: 'list the models', request: () => ['GET', '/v1/models'],                                        expected: [200, 200, 200, 200, who] },
  { action: 'read one’s usage', request: () => ['GET', '/v1/usage'],                                        expected: [200, 200, 200, 200, who] },
  { action: 'list one’s conversations', request: () => ['GET', '/v1/conversations'],                        expected: [200, 200, 200, 200, who] },
  { action: 'begin a conversation', request: () => ['POST', '/v1/conversations', {}],                       expected: [201, 201, 201, 201, who] },
  { action: 'watch by a stream', request: (t) => ['GET', `/v1/conversations/${t.conversation}/events`],      expected: [200, 200, 200, no, who] },
  { action: 'watch one generation', request: (t) => ['GET', `/v1/generations/${t.generation}/events`],       expected: [200, 200, 200, no, who] },
  { action: 'watch rooms by a stream', request: (t) => ['GET', `/v1/events?room=conversation:${t.conversation}`], expected: [200, 200, 200, no, who] },
  { action: 'watch the member’s lists', request: (t) => ['GET', `/v1/events?room=user:${t.member}`],         expected: [no, 200, no, no, who] },
  { action: 'join', request: { events: (t) => [['join', { room: `conversation:${t.conversation}` }]] },      expected: ['ok', 'ok', 'ok', no, who] },
  { action: 'join behind a cursor', request: { events: (t) => [['join', { room: `conversation:${t.conversation}`, after: '1-1' }]] }, expected: ['ok', 'ok', 'ok', no, who] },
  { action: 'join the member’s lists', request: { events: (t) => [['join', { room: `user:${t.member}` }]] }, expected: [no, 'ok', no, no, who] },
  { action: 'type', request: { events: (t) => [['join', { room: `conversation:${t.conversation}` }], ['typing', { room: `conversation:${t.conversation}`, typing: true }]] }, expected: ['ok', 'ok', may, no, who] },
];

let system: System;
let sql: postgres.Sql;
const people = new Map<Role, Person>();

beforeAll(async () => {
  // Without a worker: what is queued stays queued.
  system = await startSystem({ workers: 0 });
  sql = postgres(system.databaseUrl, { max: 2, onnotice: () => undefined });
  for (const role of roles) if (role !== 'nobody') people.set(role, await Person.signIn(system.api(), role));
});
afterAll(async () => {
  await sql.end();
  await system.stop();
});

const person = (role: Role): Person => {
  const found = people.get(role);
  if (!found) throw new Error(`there is no ${role}`);
  return found;
};

async function makeThings(): Promise<Things> {
  const conversation = await person('owner').converse();
  const [member, viewer] = [person('member').user.id, person('viewer').user.id];
  await sql`insert into members (conversation_id, user_id, role)
    values (${conversation}, ${member}, 'member'), (${conversation}, ${viewer}, 'viewer')`;
  const { message, generation } = await person('member').ask(conversation, 'a question');
  const invites = `/v1/conversations/${conversation}/invites`;
  const { body } = await person('owner').call<{ token: string }>('POST', invites, { role: 'viewer' });
  return {
    conversation,
    invite: body.token,
    member,
    viewer,
    message: message.id,
    generation: generation.id,
    answer: generation.messageId,
  };
}

interface Result {
  outcome: Outcome;
  /** All that a refused one is told. */
  told: string;
}

async function call(role: Role, [method, path, body]: [string, string, unknown?]): Promise<Result> {
  const response = await fetch(system.api().url + path, {
    method,
    headers: {
      ...(role !== 'nobody' && { authorization: `Bearer ${person(role).token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (response.ok) {
    await response.body?.cancel();
    return { outcome: response.status as Outcome, told: '' };
  }
  const told = await response.text();
  return { outcome: (JSON.parse(told) as { code: Outcome }).code, told };
}

async function emit(role: Role, events: [string, object][]): Promise<Result> {
  const auth = role === 'nobody' ? {} : { token: person(role).token };
  const socket = io(system.api().url, {
    forceNew: true,
    reconnection: false,
    transports: ['websocket'],
    auth,
  });
  try {
    const refusal = await new Promise<string | undefined>((resolve) => {
      socket.once('connect', () => {
        resolve(undefined);
      });
      socket.once('connect_error', (error: Error & { data?: { code?: string } }) => {
        resolve(error.data?.code);
      });
    });
    if (refusal) return { outcome: refusal as Outcome, told: refusal };
    let ack: { ok: boolean; error?: { code: Outcome } } = { ok: false };
    for (const [event, payload] of events)
      ack = (await socket.timeout(10_000).emitWithAck(event, payload)) as typeof ack;
    return { outcome: ack.error?.code ?? 'ok', told: JSON.stringify(ack) };
  } finally {
    socket.disconnect();
  }
}

const attempt = ({ request }: Row, role: Role, things: Things) =>
  typeof request === 'function' ? call(role, request(things)) : emit(role, request.events(things));

describe.each(table)('$action', (row) => {
  test.for(roles.map((role, i) => [role, row.expected[i]] as const))(
    'as %s: %s',
    async ([role, expected]) => {
      expect((await attempt(row, role, await makeThings())).outcome).toBe(expected);
    },
  );

  test('tells who may not know no more than that there is nothing', async () => {
    const [real, invented] = [await makeThings(), { ...(await makeThings()) }];
    for (const name of ['conversation', 'message', 'answer', 'generation', 'member', 'viewer'] as const)
      invented[name] = randomUUID();
    const [known, unknown] = [await attempt(row, 'outsider', real), await attempt(row, 'outsider', invented)];
    expect(known).toEqual(unknown);
  });
});

test('an invitation makes a viewer of an outsider, and changes nobody’s role', async () => {
  const { conversation, invite } = await makeThings();
  for (const [role, becomes] of [
    ['owner', 'owner'],
    ['member', 'member'],
    ['viewer', 'viewer'],
    ['outsider', 'viewer'],
  ] as const) {
    const accepted = await person(role).call<{ id: string; role: string }>(
      'POST',
      `/v1/invites/${invite}/accept`,
    );
    expect(accepted).toMatchObject({ status: 200, body: { id: conversation, role: becomes } });
  }
});

test('a renewed session is of the same person', async () => {
  const { body } = await person('viewer').call<{ user: { id: string }; token: string }>(
    'POST',
    '/v1/sessions/refresh',
  );
  expect(body.user.id).toBe(person('viewer').user.id);
  const me = await fetch(`${system.api().url}/v1/me`, { headers: { authorization: `Bearer ${body.token}` } });
  expect(await me.json()).toMatchObject({ user: { id: person('viewer').user.id } });
});

test('lists hold what one is a member of, and nothing else', async () => {
  const { conversation } = await makeThings();
  for (const role of ['owner', 'member', 'viewer', 'outsider'] as const) {
    const { items } = await person(role).http.listConversations();
    expect(items.some(({ id }) => id === conversation)).toBe(role !== 'outsider');
  }
});

test('whoever is removed is an outsider from then on', async () => {
  const things = await makeThings();
  await call('owner', ['DELETE', `/v1/conversations/${things.conversation}/members/${things.viewer}`]);
  for (const row of table.filter(({ expected }) => expected[3] === no)) {
    if (/viewer|lists/.test(row.action)) continue;
    const { outcome } = await attempt(row, 'viewer', things);
    expect({ action: row.action, outcome }).toEqual({ action: row.action, outcome: no });
  }
});

test('the owner of one conversation is nobody in another, whatever ids are mixed', async () => {
  const mine = await makeThings();
  const outsider = person('outsider');
  const theirs = await outsider.converse();
  const path = `/v1/conversations/${theirs}/members/${mine.member}`;
  expect((await call('outsider', ['DELETE', path])).outcome).toBe(no);
  const listed = await outsider.call<{ items: unknown[] }>(
    'GET',
    `/v1/conversations/${theirs}/messages?before=${mine.message}`,
  );
  expect(listed.body.items).toEqual([]);
});

describe('a document is its owner’s alone', () => {
  // In an order in which the owner may do all of it to one document.
  // prettier-ignore
  const actions: { action: string; request: (id: string) => [string, string, unknown?] | [string, object][]; owner: number | string }[] = [
    { action: 'read', request: (id) => ['GET', `/v1/documents/${id}`], owner: 200 },
    { action: 'read its report', request: (id) => ['GET', `/v1/documents/${id}/report.md`], owner: 200 },
    { action: 'read its file', request: (id) => ['GET', `/v1/documents/${id}/file`], owner: 200 },
    { action: 'read a section', request: (id) => ['GET', `/v1/documents/${id}/sections/0`], owner: 200 },
    { action: 'watch by a stream', request: (id) => ['GET', `/v1/documents/${id}/events`], owner: 200 },
    { action: 'watch rooms by a stream', request: (id) => ['GET', `/v1/events?room=document:${id}`], owner: 200 },
    { action: 'join', request: (id) => [['join', { room: `document:${id}` }]], owner: 'ok' },
    { action: 'ask about it', request: (id) => ['POST', '/v1/conversations', { documentId: id }], owner: 201 },
    { action: 'cancel', request: (id) => ['POST', `/v1/documents/${id}/cancel`], owner: 202 },
    { action: 'retry a section', request: (id) => ['POST', `/v1/documents/${id}/sections/0/retry`], owner: 202 },
    { action: 'resume', request: (id) => ['POST', `/v1/documents/${id}/resume`], owner: 'document_running' },
    { action: 'delete', request: (id) => ['DELETE', `/v1/documents/${id}`], owner: 204 },
  ];
  let id: string;
  beforeAll(async () => {
    id = (await person('owner').upload('alice.txt')).id;
  });

  const tryAs = (role: Role, request: (typeof actions)[number]['request'], documentId: string) => {
    const asked = request(documentId);
    return isEvents(asked) ? emit(role, asked) : call(role, asked);
  };
  const isEvents = (asked: ReturnType<(typeof actions)[number]['request']>): asked is [string, object][] =>
    Array.isArray(asked[0]);

  test.each(actions)('$action: to others there is none, as of one that never was', async ({ request }) => {
    expect((await tryAs('nobody', request, id)).outcome).toBe(who);
    const [known, unknown] = [
      await tryAs('outsider', request, id),
      await tryAs('outsider', request, randomUUID()),
    ];
    expect(known.outcome).toBe(no);
    expect(known).toEqual(unknown);
  });

  test('its generations are hidden with it', async () => {
    const [run] = await sql<{ id: string }[]>`select id from generations where document_id = ${id} limit 1`;
    for (const path of ['', '/events']) {
      const request = ['GET', `/v1/generations/${run?.id ?? ''}${path}`] satisfies [string, string];
      expect((await call('owner', request)).outcome).toBe(200);
      expect((await call('outsider', request)).outcome).toBe(no);
    }
    for (const action of ['cancel', 'continue'])
      expect((await call('outsider', ['POST', `/v1/generations/${run?.id ?? ''}/${action}`])).outcome).toBe(
        no,
      );
  });

  test('its owner may do all of it', async () => {
    for (const { action, request, owner } of actions)
      expect([action, (await tryAs('owner', request, id)).outcome]).toEqual([action, owner]);
  });
});
