import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RoomEvent } from '../../src/wire/room-events.js';
import { Refused, SocketClient, SseClient, type RoomClient } from '../support/clients.js';
import { Person } from '../support/person.js';
import { plainOutline } from '../support/plain-outline.js';
import { openScene, type Scene } from '../support/scene.js';
import type { System } from '../support/system.js';
import type { UpstreamRequest } from '../support/upstream.js';

/** The promise of the room log, for every transport: one suite, over two apis and one worker. */

let scene: Scene;
let system: System;
let ada: Person;

beforeAll(async () => {
  scene = await openScene({ apis: 2, workers: 1 });
  ({ system, ada } = scene);
});

afterAll(() => scene.close());

const ask = (conversationId?: string) => scene.ask({ conversationId });

/** Every third piece is longer than one UTF-16 unit for each character. */
const pieces = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? `🧵${i}é ` : `word-${i}\n`));
const text = pieces.join('');
const half = pieces.slice(0, 30).join('');
const secondHalf = pieces.slice(30).join('');

function say(model: UpstreamRequest, words: readonly string[]): void {
  for (const word of words) model.text(word);
}

/** What a client has seen, in a word each; neighbouring deltas count as one. */
function outline(events: readonly RoomEvent[]): string[] {
  const names = events.map((event) => (event.type === 'generation.chunk' ? event.chunk.type : event.type));
  return names.filter((name, i) => name !== 'content_block_delta' || names[i - 1] !== name);
}

const place = ({ cursor = '' }: RoomEvent): [bigint, bigint] => {
  const [ms = '', sequence = ''] = cursor.split('-');
  return [BigInt(ms), BigInt(sequence)];
};

/** Nothing twice and nothing out of order: from one snapshot to the next, cursors grow. */
function expectGrowing(events: readonly RoomEvent[]): void {
  const logged = events.filter(({ cursor }) => cursor !== undefined);
  for (const [i, event] of logged.entries()) {
    const before = logged[i - 1];
    if (!before || event.type === 'snapshot') continue;
    const [[ms, sequence], [beforeMs, beforeSequence]] = [place(event), place(before)];
    expect(
      ms > beforeMs || (ms === beforeMs && sequence > beforeSequence),
      `${before.cursor} < ${event.cursor}`,
    ).toBe(true);
  }
}

const transports: { name: string; clientOf: (person: Person, conversationId: string) => RoomClient }[] = [
  { name: 'a socket', clientOf: (person, id) => person.socket(id) },
  { name: 'a polling socket', clientOf: (person, id) => person.socket(id, ['polling']) },
  { name: 'an event stream', clientOf: (person, id) => person.eventStream(id) },
];

describe.each(transports)('over $name', ({ clientOf }) => {
  test('a client sees every event of a plain generation, in order, and the exact text', async () => {
    const conversationId = await ada.converse();
    const client = clientOf(ada, conversationId);
    await client.connect();
    const { model, generation, prompt } = await ask(conversationId);
    say(model, pieces);
    model.stop();
    const end = await client.ended(generation.id);

    expect(outline(client.logged)).toEqual(plainOutline);
    expectGrowing(client.events);
    expect(client.written(generation.id)).toBe(text);
    expect(end.message).toMatchObject({ id: generation.messageId, text, status: 'complete' });
    expect(end.generation).toMatchObject({ id: generation.id, status: 'completed', stopReason: 'end_turn' });
    expect(end.generation).not.toHaveProperty('text');
    expect(end.generation).not.toHaveProperty('content');
    expect(client.of('message.created')[0]?.message).toEqual(prompt);
    for (const { generationId, messageId } of client.of('generation.chunk'))
      expect({ generationId, messageId }).toEqual({
        generationId: generation.id,
        messageId: generation.messageId,
      });
    for (const event of client.events) {
      expect(event.room).toBe(`conversation:${conversationId}`);
      expect(new Date(event.at).toISOString()).toBe(event.at);
    }
    expect(client.state?.messages.map((message) => message.text)).toEqual([prompt.text, text]);
    expect(client.state?.generations).toEqual([]);
  });

  test('the first text is seen before the model says more', async () => {
    const conversationId = await ada.converse();
    const client = clientOf(ada, conversationId);
    await client.connect();
    const { model, generation } = await ask(conversationId);
    for (const piece of pieces.slice(0, 5)) {
      const before = client.written(generation.id);
      model.text(piece);
      await client.until(() => client.written(generation.id) === before + piece);
    }
    model.stop();
    await client.ended(generation.id);
  });

  test('who joins in the middle gets the content so far, and then the rest', async () => {
    const { conversationId, model, generation, prompt } = await ask();
    const first = clientOf(ada, conversationId);
    await first.connect();
    say(model, pieces.slice(0, 30));
    await first.until(() => first.written(generation.id) === half);

    const late = clientOf(ada.via(system.api(1)), conversationId);
    await late.connect();
    const { snapshot } = await late.waitFor('snapshot');
    expect(snapshot).toMatchObject({
      conversation: { id: conversationId, running: 1, role: 'owner' },
      messages: [{ id: prompt.id }],
      generations: [
        { id: generation.id, status: 'running', text: half, content: [{ type: 'text', text: half }] },
      ],
    });
    say(model, pieces.slice(30));
    model.stop();
    await Promise.all([first.ended(generation.id), late.ended(generation.id)]);
    expect(late.written(generation.id)).toBe(text);
    expect(outline(late.logged)[0]).toBe('content_block_delta');
    expectGrowing(late.events);
    expect(late.state?.messages).toEqual(first.state?.messages);
  });

  test('who comes back with a cursor gets what it missed, and no snapshot', async () => {
    const { conversationId, model, generation } = await ask();
    const client = clientOf(ada, conversationId);
    await client.connect();
    say(model, pieces.slice(0, 30));
    await client.until(() => client.written(generation.id) === half);
    client.drop();

    const other = clientOf(ada, conversationId);
    await other.connect();
    say(model, pieces.slice(30));
    model.stop();
    await other.ended(generation.id);

    await client.connect();
    const end = await client.ended(generation.id);
    expect(client.written(generation.id)).toBe(text);
    expect(end.message?.text).toBe(text);
    expect(client.of('snapshot')).toHaveLength(1);
    expectGrowing(client.events);
    expect(client.cursor).toBe(other.cursor);
  });

  test('who comes back with the newest cursor goes on with what comes next', async () => {
    const { conversationId, model, generation } = await ask();
    model.text('first').stop();
    const client = clientOf(ada, conversationId);
    await client.connect();
    if (client.state?.generations.length) await client.ended(generation.id);
    client.drop();
    const seen = client.events.length;
    await client.connect();
    const next = await ask(conversationId);
    next.model.text('second').stop();
    await client.ended(next.generation.id);
    expect(outline(client.events.slice(seen).filter(({ cursor }) => cursor))[0]).toBe('message.created');
    expect(client.written(next.generation.id)).toBe('second');
  });

  test('twenty clients that drop and come back ten times in mid-answer end with the exact text', async () => {
    const { conversationId, model, generation } = await ask();
    const clients = Array.from({ length: 20 }, (_, i) =>
      clientOf(ada.via(system.api(i % 2)), conversationId),
    );
    let said = '';
    let talking = true;
    const talk = async () => {
      for (let i = 0; talking; i += 1) {
        const piece = `${i} 🧵 `;
        said += piece;
        model.text(piece);
        await sleep(10);
      }
      model.stop();
    };
    const watch = async (client: RoomClient) => {
      await client.connect();
      for (let returns = 0; returns < 10; returns += 1) {
        const seen = client.logged.length;
        await client.until(() => client.logged.length > seen);
        client.drop();
        await client.connect();
      }
    };
    const spoken = talk();
    await Promise.all(clients.map(watch)).finally(() => {
      talking = false;
    });
    await spoken;
    await Promise.all(clients.map((client) => client.ended(generation.id)));
    for (const client of clients) {
      expect(client.written(generation.id)).toBe(said);
      expect(client.of('snapshot')).toHaveLength(1);
      expectGrowing(client.events);
      if (client instanceof SocketClient) expect(client.early).toEqual([]);
    }
  }, 60_000);

  test('the snapshot comes before every event, however fast the model talks', async () => {
    const { conversationId, model, generation } = await ask();
    const stopped = new AbortController();
    const talk = (async () => {
      while (!stopped.signal.aborted) {
        model.text('x');
        await sleep(1);
      }
    })();
    for (let i = 0; i < 10; i += 1) {
      const client = clientOf(ada, conversationId);
      await client.connect();
      await client.until(() => client.logged.length >= 3);
      expect(client.events.filter(({ cursor }) => cursor)[0]?.type).toBe('snapshot');
      expectGrowing(client.events);
      if (client instanceof SocketClient) expect(client.early).toEqual([]);
      client.drop();
    }
    stopped.abort();
    await talk;
    model.stop();
    await ada.ended(generation.id);
  });

  test.each(['0-0', '1-1', '99999999999999-0', '18446744073709551615-18446744073709551615'])(
    'the cursor %s, which is not in the log, gets a snapshot',
    async (cursor) => {
      const { conversationId, model, generation } = await ask();
      model.text('all of it').stop();
      await ada.ended(generation.id);
      const client = clientOf(ada, conversationId);
      await client.connect(cursor);
      const { snapshot, cursor: now } = await client.waitFor('snapshot');
      expect(snapshot).toMatchObject({
        messages: [{ role: 'user' }, { text: 'all of it' }],
        generations: [],
      });
      expect(now).toMatch(/^[1-9]\d*-\d+$/);
    },
  );

  test("another room's cursor gets a snapshot, though both are written at once", async () => {
    const [here, there] = await Promise.all([ask(), ask()]);
    const other = clientOf(ada, there.conversationId);
    await other.connect();
    for (const { model } of [here, there]) model.text('done').stop();
    await Promise.all([ada.ended(here.generation.id), other.ended(there.generation.id)]);
    const client = clientOf(ada, here.conversationId);
    await client.connect(other.cursor);
    expect((await client.waitFor('snapshot')).snapshot).toMatchObject({
      conversation: { id: here.conversationId },
    });
  });

  test.each(['abc', '1', '1-', '1-1-1', '1-1,1-1', '-1-1', '1.5-0', '0x1-0'])(
    'the cursor %j, which is none, is refused as invalid_request',
    async (cursor) => {
      const client = clientOf(ada, await ada.converse());
      await expect(client.connect(cursor)).rejects.toMatchObject({ code: 'invalid_request' });
      expect(client.events).toEqual([]);
    },
  );

  test('an outsider is told what somebody is told who asks for nothing that exists', async () => {
    const { conversationId, model } = await ask();
    const outsider = await Person.signIn(system.api(1), 'Eve');
    const refusals: unknown[] = [];
    for (const id of [conversationId, randomUUID(), 'nonsense']) {
      const client = clientOf(outsider, id);
      refusals.push(await client.connect().catch((error: unknown) => error));
      expect(client.events).toEqual([]);
      if (client instanceof SocketClient) expect(client.early).toEqual([]);
    }
    expect(refusals[0]).toMatchObject({ code: 'not_found' });
    expect(refusals[1]).toEqual(refusals[0]);
    expect(refusals[2]).toEqual(refusals[0]);
    model.stop();
  });

  test('a token that is none is refused as unauthenticated', async () => {
    const conversationId = await ada.converse();
    const client = clientOf(ada, conversationId);
    Object.assign(client, {
      options: { url: system.api().url, token: 'none', room: `conversation:${conversationId}` },
    });
    await expect(client.connect()).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(client.connect()).rejects.toBeInstanceOf(Refused);
  });

  test('a second window at another api sees the same events in the same order', async () => {
    const conversationId = await ada.converse();
    const [first, second] = [clientOf(ada, conversationId), ada.via(system.api(1)).socket(conversationId)];
    await Promise.all([first.connect(), second.connect()]);
    for (let turn = 0; turn < 3; turn += 1) {
      const { model, generation } = await ask(conversationId);
      say(model, pieces);
      model.stop();
      await Promise.all([first.ended(generation.id), second.ended(generation.id)]);
    }
    expect(first.logged).toEqual(second.logged);
    expect(first.state?.messages).toHaveLength(6);
    expect(first.state?.messages).toEqual(second.state?.messages);
  });

  test('nothing of one room reaches another', async () => {
    const [here, there] = [await ada.converse(), await ada.converse()];
    const client = clientOf(ada, here);
    await client.connect();
    const elsewhere = await ask(there);
    elsewhere.model.text('a secret').stop();
    await ada.ended(elsewhere.generation.id);
    const { model, generation } = await ask(here);
    model.text('hello').stop();
    await client.ended(generation.id);
    expect(JSON.stringify(client.events)).not.toContain(elsewhere.generation.id);
    expect(JSON.stringify(client.events)).not.toContain('a secret');
  });
});

describe('an event stream', () => {
  test('names the type in each data line, and the cursor as the id', async () => {
    const { conversationId, model, generation } = await ask();
    const client = ada.eventStream(conversationId);
    await client.connect();
    say(model, pieces);
    model.stop();
    await client.ended(generation.id);
    expect(client.frames.length).toBeGreaterThan(5);
    for (const { event, id, data } of client.frames) {
      const payload = JSON.parse(data) as RoomEvent;
      expect(payload.type).toBe(event);
      expect(payload.cursor).toBe(id);
      expect(data).not.toContain('\n');
    }
  });

  test('has the headers that keep proxies from holding it back', async () => {
    const client = ada.eventStream(await ada.converse());
    await client.connect();
    expect(client.status).toBe(200);
    expect(client.headers.get('content-type')).toMatch(/^text\/event-stream\b/);
    expect(client.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(client.headers.get('x-accel-buffering')).toBe('no');
    expect(client.headers.get('content-encoding')).toBeNull();
  });

  test('resumes each of several rooms alone', async () => {
    const [one, two] = [await ada.converse(), await ada.converse()];
    const path = `/v1/events?room=conversation:${one}&room=conversation:${two}`;
    const read = async (after: string, count: number) => {
      const response = await fetch(system.api().url + path, {
        headers: { authorization: `Bearer ${ada.token}`, 'last-event-id': after },
      });
      if (!response.ok) throw new Error(((await response.json()) as { code: string }).code);
      const events: { type: string; room: string; id: string }[] = [];
      if (!response.body) throw new Error('there is no body');
      let rest = '';
      for await (const bytes of response.body.pipeThrough(new TextDecoderStream())) {
        const parts = (rest + bytes).split('\n\n');
        rest = parts.pop() ?? '';
        for (const part of parts) {
          const id = /^id: (.*)$/m.exec(part)?.[1];
          const { type, room } = JSON.parse(/^data: (.*)$/m.exec(part)?.[1] ?? '{}') as {
            type: string;
            room: string;
          };
          if (id !== undefined) events.push({ type, room, id });
        }
        if (events.length >= count) break;
      }
      return events;
    };
    const [first, second] = await read('0-0,0-0', 2);
    expect(first).toMatchObject({ type: 'snapshot', room: `conversation:${one}` });
    expect(second).toMatchObject({ type: 'snapshot', room: `conversation:${two}` });
    expect(first?.id).toMatch(/^[1-9]\d*-\d+,0-0$/);
    expect(second?.id.split(',')[0]).toBe(first?.id.split(',')[0]);

    const { generation, model } = await ask(two);
    model.text('hello').stop();
    await ada.ended(generation.id);
    const [cursorOfOne = ''] = second?.id.split(',') ?? [];
    const [resumed] = await read(second?.id ?? '', 1);
    expect(resumed).toMatchObject({ type: 'message.created', room: `conversation:${two}` });
    expect(resumed?.id.startsWith(`${cursorOfOne},`)).toBe(true);
    const [alone] = await read(`1-1,${second?.id.split(',')[1] ?? ''}`, 1);
    expect(alone).toMatchObject({ type: 'snapshot', room: `conversation:${one}` });
    // What comes before the snapshot of a room says that the client has nothing of it.
    const [before] = await read(resumed?.id.split(',').toReversed().join(',') ?? '', 1);
    expect(before?.id).toMatch(/^[1-9]\d*-\d+,0-0$/);
    const [other] = await read(`${cursorOfOne},1-1`, 1);
    expect(other).toMatchObject({ type: 'snapshot', room: `conversation:${two}` });
    for (const none of ['1-1', '1-1,1-1,1-1', '1-1,', ',1-1', '1-1,x', '1-1, 1-1'])
      await expect(read(none, 1)).rejects.toThrow('invalid_request');
  });

  test('goes on from the header, and from the address where the header says nothing', async () => {
    const conversationId = await ada.converse();
    const client = ada.eventStream(conversationId);
    await client.connect();
    const here = client.lastEventId ?? '';
    await ada.http.updateConversation(conversationId, { title: 'changed' });
    const first = async (after: string, lastEventId: string) => {
      const watched = { url: system.api().url, token: ada.token, room: '' };
      const path = `/v1/conversations/${conversationId}/events?after=${after}`;
      const stream = new SseClient(watched, path, { headers: { 'last-event-id': lastEventId } });
      await stream.connect(here);
      const event = await stream.until(() => stream.events.find(({ cursor }) => cursor !== undefined));
      stream.drop();
      return event.type;
    };
    expect(await first(here, '')).toBe('conversation.updated');
    expect(await first('1-1', here)).toBe('conversation.updated');
    expect(await first(here, '1-1')).toBe('snapshot');
    expect(await first('1-1', '')).toBe('snapshot');
  });
});

describe('the event stream of a generation', () => {
  const watch = async (generationId: string, after?: string): Promise<SseClient> => {
    const client = ada.via(system.api(1)).generationStream(generationId);
    await client.connect(after);
    return client;
  };

  test('holds that generation alone and closes after its last event', async () => {
    const conversationId = await ada.converse({ concurrency: 'parallel' });
    const [one, other] = [await ask(conversationId), await ask(conversationId)];
    const client = await watch(one.generation.id);
    expect(client.of('snapshot')[0]?.snapshot).toEqual({
      generation: expect.objectContaining({ id: one.generation.id, text: '' }) as unknown,
    });
    for (const piece of pieces) {
      one.model.text(piece);
      other.model.text('other');
    }
    other.model.stop();
    one.model.stop();
    await client.end();
    expect(client.written(one.generation.id)).toBe(text);
    expect(client.events.at(-1)?.type).toBe('generation.completed');
    expect(JSON.stringify(client.events)).not.toContain(other.generation.id);
  });

  test('of one that has ended is its snapshot, its last event, and the end', async () => {
    const { generation, model } = await ask();
    say(model, pieces);
    model.stop();
    await ada.ended(generation.id);
    const client = await watch(generation.id);
    await client.end();
    expect(client.frames.map(({ event }) => event)).toEqual(['snapshot', 'generation.completed']);
    expect(client.of('snapshot')[0]?.snapshot).toMatchObject({ generation: { status: 'completed', text } });
    expect(client.of('generation.completed')[0]?.message?.text).toBe(text);
  });

  test('goes on behind a cursor, and answers 204 where that leaves nothing', async () => {
    const { generation, model } = await ask();
    const client = await watch(generation.id);
    say(model, pieces.slice(0, 30));
    await client.until(() => client.written(generation.id) === half);
    client.drop();
    const cursor = client.lastEventId;
    say(model, pieces.slice(30));
    model.stop();
    await ada.ended(generation.id);

    const back = await watch(generation.id, cursor);
    await back.end();
    expect(back.of('snapshot')).toEqual([]);
    expect(
      back
        .of('generation.chunk')
        .map(({ chunk }) =>
          chunk.type === 'content_block_delta' && chunk.delta.type === 'text_delta' ? chunk.delta.text : '',
        )
        .join(''),
    ).toBe(secondHalf);
    expect(back.events.at(-1)?.type).toBe('generation.completed');

    const nothing = await watch(generation.id, back.lastEventId);
    expect(nothing.status).toBe(204);
    expect(nothing.events).toEqual([]);
  });

  test('is not there for an outsider', async () => {
    const { generation, model } = await ask();
    const outsider = await Person.signIn(system.api(), 'Eve');
    const foreign = outsider.generationStream(generation.id).connect();
    await expect(foreign).rejects.toMatchObject({ code: 'not_found', status: 404 });
    const missing = outsider.generationStream(randomUUID()).connect();
    await expect(missing).rejects.toMatchObject({ code: 'not_found', status: 404 });
    model.stop();
  });
});
