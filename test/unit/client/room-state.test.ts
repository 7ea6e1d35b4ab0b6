import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromSnapshot, reduceRoom, withHistory, type RoomState } from '../../../src/client/room-state.js';
import { ContentAccumulator } from '../../../src/domain/content-accumulator.js';
import type { Chunk } from '../../../src/domain/content.js';
import type { Conversation, ConversationView, Message } from '../../../src/domain/conversation.js';
import type { GenerationHead } from '../../../src/domain/generation.js';
import { conversationRoom } from '../../../src/wire/room.js';
import type { ConversationSnapshot, RoomEvent, RoomEventPayloads } from '../../../src/wire/room-events.js';
import {
  ada,
  blockStart,
  conversation,
  conversationId,
  generation,
  message,
  messageStart,
  textDelta,
} from './sample.js';

type Told = { [T in keyof RoomEventPayloads]: { type: T } & RoomEventPayloads[T] }[keyof RoomEventPayloads];

const eventOf = (told: Told, n: number): RoomEvent => ({
  room: conversationRoom(conversationId),
  cursor: `${n}-0`,
  at: new Date(n * 1000).toISOString(),
  ...told,
});

/** A room as a server keeps it: plain maps that are changed in place, told of in events. Nothing of the reducer. */
class Server {
  readonly events: RoomEvent[] = [];
  readonly snapshots: ConversationSnapshot[] = [];
  readonly #messages = new Map<string, Message>();
  readonly #live = new Map<string, { head: GenerationHead; content: ContentAccumulator }>();
  #position = 0;

  constructor() {
    this.snapshots.push(this.#snapshot());
  }

  ask(): void {
    const position = (this.#position += 2);
    const prompt = message(`m${position}`, position);
    this.#messages.set(prompt.id, prompt);
    this.#tell({ type: 'message.created', message: prompt });
    const status = this.#live.size === 0 ? 'queued' : 'waiting';
    const head = generation(`g${position}`, status, { promptId: prompt.id, position: position + 1 });
    this.#live.set(head.id, { head, content: new ContentAccumulator() });
    this.#tell({ type: `generation.${status}`, generationId: head.id, generation: head });
  }

  start(pick: number): void {
    const live = this.#pick(pick);
    if (!live) return;
    const isFirst = live.head.status !== 'running';
    live.head = { ...live.head, status: 'running', attempt: live.head.attempt + (isFirst ? 0 : 1) };
    const { id } = live.head;
    this.#tell({ type: 'generation.started', generationId: id, generation: live.head });
    if (isFirst) {
      this.#write(id, messageStart);
      this.#write(id, blockStart(0, { type: 'text', text: '' }));
    }
  }

  write(pick: number, text: string): void {
    const live = this.#pick(pick);
    if (live) this.#write(live.head.id, textDelta(0, text));
  }

  reset(pick: number): void {
    const live = this.#pick(pick);
    if (live?.head.status !== 'running') return;
    const { id, attempt } = live.head;
    live.content = new ContentAccumulator();
    this.#tell({ type: 'generation.reset', generationId: id, attempt, reason: 'worker_lost' });
    this.#write(id, messageStart);
    this.#write(id, blockStart(0, { type: 'text', text: '' }));
  }

  end(pick: number, status: 'completed' | 'cancelled' | 'failed'): void {
    const live = this.#pick(pick);
    if (!live) return;
    const { id, messageId, position } = live.head;
    this.#live.delete(id);
    const { text, content } = live.content;
    const answer = message(messageId, position ?? 0, {
      role: 'assistant',
      author: null,
      text,
      content: [...content],
    });
    if (text) this.#messages.set(answer.id, answer);
    const head = { ...live.head, status };
    this.#tell({
      type: `generation.${status}`,
      generationId: id,
      generation: head,
      message: text ? answer : null,
    });
  }

  edit(pick: number): void {
    const found = pickOf([...this.#messages.values()], pick);
    if (!found) return;
    const changed = { ...found, text: `${found.text}!` };
    this.#messages.set(changed.id, changed);
    this.#tell({ type: 'message.updated', message: changed });
  }

  remove(pick: number): void {
    const found = pickOf([...this.#messages.values()], pick);
    if (!found) return;
    this.#messages.delete(found.id);
    this.#tell({ type: 'message.deleted', message: found });
  }

  clear(): void {
    this.#messages.clear();
    this.#tell({ type: 'messages.cleared', conversation: conversation() });
  }

  #pick(pick: number) {
    return pickOf([...this.#live.values()], pick);
  }

  #write(id: string, chunk: Chunk): void {
    const live = this.#live.get(id);
    if (!live) return;
    live.content.apply(chunk);
    this.#tell({ type: 'generation.chunk', generationId: id, messageId: live.head.messageId, chunk });
  }

  #tell(told: Told): void {
    this.events.push(structuredClone(eventOf(told, this.events.length + 1)));
    this.snapshots.push(this.#snapshot());
  }

  #snapshot(): ConversationSnapshot {
    return structuredClone({
      conversation: conversation(),
      messages: [...this.#messages.values()].sort((a, b) => a.position - b.position),
      generations: [...this.#live.values()].map(({ head, content }) => ({
        ...head,
        text: content.text,
        content: content.content,
      })),
      users: [],
    });
  }
}

const pickOf = <T>(items: readonly T[], pick: number): T | undefined => items[pick % (items.length || 1)];

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constant((server: Server) => {
      server.ask();
    }),
  },
  {
    weight: 3,
    arbitrary: fc.nat(5).map((n) => (server: Server) => {
      server.start(n);
    }),
  },
  {
    weight: 9,
    arbitrary: fc.tuple(fc.nat(5), fc.string()).map(([n, text]) => (server: Server) => {
      server.write(n, text);
    }),
  },
  {
    weight: 1,
    arbitrary: fc.nat(5).map((n) => (server: Server) => {
      server.reset(n);
    }),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(5), fc.constantFrom('completed' as const, 'cancelled' as const, 'failed' as const))
      .map(([n, status]) => (server: Server) => {
        server.end(n, status);
      }),
  },
  {
    weight: 1,
    arbitrary: fc.nat(9).map((n) => (server: Server) => {
      server.edit(n);
    }),
  },
  {
    weight: 1,
    arbitrary: fc.nat(9).map((n) => (server: Server) => {
      server.remove(n);
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant((server: Server) => {
      server.clear();
    }),
  },
);

/** What is the same for everybody in the room: not what this client happened to see. */
const shared = ({ conversation, messages, generations, users }: RoomState) => ({
  conversation,
  messages,
  generations: generations.map(({ id, status, attempt, content }) => ({ id, status, attempt, content })),
  users,
});

describe('the state of a room', () => {
  test('from a snapshot at any point and the events after it is the state from all events', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const server = new Server();
        for (const run of steps) run(server);
        const ends = server.snapshots.map((snapshot, n) =>
          server.events.slice(n).reduce(reduceRoom, fromSnapshot(snapshot, `${n}-0`)),
        );
        const truth = fromSnapshot(server.snapshots.at(-1) ?? fail(), `${server.events.length}-0`);
        for (const end of ends) {
          expect(shared(end)).toEqual(shared(truth));
          expect(end.cursor).toBe(truth.cursor);
        }
      }),
    );
  });

  test('is not touched by the events that follow', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const server = new Server();
        for (const run of steps) run(server);
        let state = fromSnapshot(server.snapshots[0] ?? fail());
        for (const event of server.events) {
          const copy = structuredClone(state);
          const next = reduceRoom(state, event);
          expect(state).toEqual(copy);
          state = next;
        }
      }),
    );
  });

  const empty = fromSnapshot(
    { conversation: conversation(), messages: [], generations: [], users: [] },
    '1-0',
  );
  const after = (state: RoomState, ...told: Told[]) =>
    told.reduce((held, one, n) => reduceRoom(held, eventOf(one, n + 2)), state);

  const running = generation('g', 'running', { promptId: 'p', position: 1 });
  const chunk = (one: Chunk): Told => ({
    type: 'generation.chunk',
    generationId: 'g',
    messageId: 'answer-g',
    chunk: one,
  });
  const writing = after(
    empty,
    { type: 'message.created', message: message('p', 0) },
    { type: 'generation.started', generationId: 'g', generation: running },
    chunk(messageStart),
    chunk(blockStart(0, { type: 'text', text: '' })),
    chunk(textDelta(0, 'Half of it')),
  );

  test('takes the message of a terminal event over what was streamed', () => {
    const whole = message('answer-g', 1, { role: 'assistant', text: 'All of it' });
    const state = after(writing, {
      type: 'generation.completed',
      generationId: 'g',
      generation: { ...running, status: 'completed' },
      message: whole,
    });
    expect(state.generations).toEqual([]);
    expect(state.messages.at(-1)).toEqual(whole);
    expect(state.ended.get('g')?.status).toBe('completed');
  });

  test('forgets how an answer ended when the answer is deleted', () => {
    const answer = message('answer-g', 1, { role: 'assistant' });
    const state = after(
      writing,
      {
        type: 'generation.completed',
        generationId: 'g',
        generation: { ...running, status: 'completed' },
        message: answer,
      },
      { type: 'message.deleted', message: answer },
    );
    expect(state.messages.map(({ id }) => id)).toEqual(['p']);
    expect(state.ended.size).toBe(0);
  });

  test('lets go of the message that a regenerated one replaces', () => {
    const state = after(
      after(empty, { type: 'message.created', message: message('old', 1, { role: 'assistant' }) }),
      {
        type: 'generation.completed',
        generationId: 'g',
        generation: { ...running, status: 'completed' },
        message: message('new', 1, { role: 'assistant' }),
        replacesMessageId: 'old',
      },
    );
    expect(state.messages.map(({ id }) => id)).toEqual(['new']);
  });

  test('begins a message anew at its message_start, and forgets it at a reset', () => {
    expect(after(writing, chunk(messageStart)).generations[0]?.content).toEqual([]);
    const reset = after(writing, {
      type: 'generation.reset',
      generationId: 'g',
      attempt: 2,
      reason: 'worker_lost',
    });
    expect(reset.generations[0]).toMatchObject({ content: [], pace: null });
  });

  test('holds what tools answered behind what was written, and goes on counting blocks as the model does', () => {
    const call = { type: 'tool_use', id: 't1', name: 'calculator', input: {} } as const;
    const state = after(
      writing,
      chunk(blockStart(1, call)),
      {
        type: 'generation.tool_result',
        generationId: 'g',
        toolUseId: 't1',
        name: 'calculator',
        output: 'no number',
        isError: true,
      },
      chunk(blockStart(2, { type: 'text', text: '' })),
      chunk(textDelta(2, 'Well')),
    );
    expect(state.generations[0]?.content).toEqual([
      { type: 'text', text: 'Half of it' },
      call,
      { type: 'tool_result', tool_use_id: 't1', content: 'no number', is_error: true },
      { type: 'text', text: 'Well' },
    ]);
  });

  test('keeps what was written when another attempt goes on', () => {
    const state = after(writing, {
      type: 'generation.started',
      generationId: 'g',
      generation: { ...running, attempt: 2 },
    });
    expect(state.generations[0]).toMatchObject({
      attempt: 2,
      content: [{ type: 'text', text: 'Half of it' }],
    });
  });

  test('does not copy the messages for a chunk', () => {
    const state = after(writing, chunk(textDelta(0, ' more')));
    expect(state.messages).toBe(writing.messages);
  });

  test('keeps the role of the watcher when the conversation changes for all', () => {
    const changed: Partial<ConversationView> & Conversation = conversation({ title: 'New title' });
    delete changed.role;
    delete changed.unread;
    const state = after(empty, { type: 'conversation.updated', conversation: changed });
    expect(state.conversation).toMatchObject({ title: 'New title', role: 'owner' });
  });

  test('knows when the first word came, seen from the start', () => {
    expect(writing.generations[0]?.pace).toMatchObject({ fromStart: true, characters: 10 });
    const late = fromSnapshot({
      conversation: conversation(),
      messages: [],
      generations: [{ ...running, text: 'Half', content: [{ type: 'text', text: 'Half' }] }],
      users: [ada].map((user) => ({ ...user, connections: 1 })),
    });
    expect(after(late, chunk(textDelta(0, ' of it'))).generations[0]?.pace).toMatchObject({
      fromStart: false,
    });
  });

  test('is replaced by a snapshot at any time', () => {
    const snapshot = {
      conversation: conversation(),
      messages: [message('only', 0)],
      generations: [],
      users: [],
    };
    const state = reduceRoom(writing, eventOf({ type: 'snapshot', snapshot }, 99));
    expect(state).toEqual(fromSnapshot(snapshot, '99-0'));
  });

  test('knows who types until they say that they ended, or say something', () => {
    const noor = { id: 'noor', name: 'Noor' };
    const told = (state: RoomState, ...all: Told[]) =>
      all.reduce((now, one, n) => reduceRoom(now, eventOf(one, 60 + n)), state);
    const both = told(
      writing,
      { type: 'typing', user: ada, typing: true },
      { type: 'typing', user: noor, typing: true },
      { type: 'typing', user: ada, typing: true },
    );
    expect(both.typing.map(({ user }) => user.name)).toEqual(['Noor', 'Ada']);
    const one = told(both, { type: 'typing', user: noor, typing: false });
    expect(one.typing.map(({ user }) => user.name)).toEqual(['Ada']);
    expect(told(one, { type: 'message.created', message: message('said', 90) }).typing).toEqual([]);
  });

  test('knows who left, until they join again', () => {
    const left = reduceRoom(
      writing,
      eventOf({ type: 'member.left', user: ada, conversation: conversation() }, 70),
    );
    expect(left.left).toEqual(['ada']);
    const back = reduceRoom(
      left,
      eventOf({ type: 'member.joined', user: ada, conversation: conversation() }, 71),
    );
    expect(back.left).toEqual([]);
  });

  test('takes in older history in its order, and keeps what it holds of it', () => {
    const held = fromSnapshot({
      conversation: conversation(),
      messages: [message('m4', 4, { text: 'as it is now' }), message('m5', 5)],
      generations: [],
      users: [],
    });
    const grown = withHistory(held, [message('m3', 3), message('m4', 4)]);
    expect(grown.messages.map(({ id }) => id)).toEqual(['m3', 'm4', 'm5']);
    expect(grown.messages[1]?.text).toBe('as it is now');
    expect(withHistory(held, [message('m5', 5)])).toBe(held);
  });

  test('holds the rendered blocks of an answer by their places, beyond its end, until it starts over', () => {
    const [live] = writing.generations;
    if (!live) fail();
    const generationId = live.id;
    const block = (place: number, html: string, done = false): Told => ({
      type: 'generation.html',
      generationId,
      block: place,
      language: null,
      html,
      done,
    });
    const told = (state: RoomState, ...all: Told[]) =>
      all.reduce((now, one, n) => reduceRoom(now, eventOf(one, 60 + n)), state);
    const htmlOf = (state: RoomState) => state.generations.find(({ id }) => id === generationId)?.html;
    const rendered = told(writing, block(1, 'b'), block(0, 'a'), block(0, 'aa', true));
    expect(htmlOf(rendered)).toEqual([
      { block: 0, language: null, html: 'aa', done: true },
      { block: 1, language: null, html: 'b', done: false },
    ]);
    const started = told(rendered, { type: 'generation.started', generationId, generation: live });
    expect(htmlOf(started)).toBe(htmlOf(rendered));
    const head = { ...live, status: 'completed' as const };
    const ended = told(rendered, {
      type: 'generation.completed',
      generationId,
      generation: head,
      message: null,
    });
    expect(ended.ended.get(generationId)?.html).toBe(htmlOf(rendered));
    const reset = told(rendered, { type: 'generation.reset', generationId, attempt: 2, reason: 'lost' });
    expect(htmlOf(reset)).toEqual([]);
  });

  test('moves its cursor and nothing else at an event of a type that is not known', () => {
    const state = reduceRoom(writing, {
      ...eventOf({ type: 'typing', user: ada, typing: true }, 50),
      type: 'later' as never,
    });
    expect(state).toEqual({ ...writing, cursor: '50-0' });
  });
});

function fail(): never {
  throw new Error('there is always a snapshot');
}
