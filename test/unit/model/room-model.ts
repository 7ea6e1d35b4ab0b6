import fc from 'fast-check';
import { pino } from 'pino';
import { LogReader } from '../../../src/gateway/log-reader.js';
import { SingleFlight } from '../../../src/lib/single-flight.js';
import { createKeys } from '../../../src/redis/keys.js';
import { RoomHub } from '../../../src/redis/room-hub.js';
import type { Subscriber } from '../../../src/redis/subscriber.js';
import { LogWriter } from '../../../workers/log-writer.js';
import { ModelClient, type ClientPlan, type ModelView } from './model-client.js';
import { generationId, ModelLog, textOfTranscript, type Call } from './model-log.js';

const room = 'conversation:0199aaaa-0000-7000-8000-000000000001';
const log = pino({ level: 'silent' });
/** What the model of the model says. */
const answer = 'abcdef';

type Fault =
  | { kind: 'wipe'; clockBack: boolean }
  /** The subscriber's connection dies, and what is published meanwhile is lost. */
  | { kind: 'cut'; turns: number }
  | { kind: 'trim'; length: number }
  /** So many calls of Redis fail, `behind` or before they have done what they do. */
  | { kind: 'fail'; calls: number; behind: boolean };

export interface Plan {
  clients: ClientPlan[];
  /** Attempts before the last one: how many tokens each writes before it is killed; a zombie is not, but has an heir. */
  attempts: { tokens: number; zombie: boolean }[];
  faults: { late: number; fault: Fault }[];
}

const turns = (max: number) => fc.nat({ max });

export const plans: fc.Arbitrary<Plan> = fc.record({
  clients: fc.array(
    fc.record({
      late: turns(12),
      visits: fc.array(turns(8), { maxLength: 2 }),
      capacity: fc.integer({ min: 0, max: 4 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  attempts: fc.array(fc.record({ tokens: turns(answer.length), zombie: fc.boolean() }), { maxLength: 2 }),
  faults: fc.array(
    fc.record({
      late: turns(24),
      fault: fc.oneof(
        fc.record({ kind: fc.constant('wipe' as const), clockBack: fc.boolean() }),
        fc.record({ kind: fc.constant('cut' as const), turns: turns(6) }),
        fc.record({ kind: fc.constant('trim' as const), length: fc.integer({ min: 0, max: 3 }) }),
        fc.record({
          kind: fc.constant('fail' as const),
          calls: fc.integer({ min: 1, max: 3 }),
          behind: fc.boolean(),
        }),
      ),
    }),
    { maxLength: 3 },
  ),
});

/** How sleeping is done: the scheduler says when it is over. */
export type Sleep = (ms: number, value?: unknown, options?: { signal?: AbortSignal }) => Promise<void>;

/** Nobody waits for these to pass: they are limits. */
const longMs = 10_000;

/**
 * One run: the product's own hub, feed, watchers and log writer over a modelled Redis, everything in an order of the
 * scheduler's choice. Answers what was found to be wrong.
 */
export async function playRoom(
  scheduler: fc.Scheduler,
  plan: Plan,
  useSleep: (sleep: Sleep) => void,
): Promise<string[]> {
  const turn = (label: string) => scheduler.schedule(Promise.resolve(), label);
  useSleep((ms, _value, { signal } = {}) => {
    const aborted = new Promise<never>((_resolve, reject) => {
      const abort = () => {
        reject(new Error('aborted'));
      };
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort, { once: true });
    });
    return ms >= longMs ? aborted : Promise.race([turn('sleep'), aborted]);
  });

  const failing = { calls: 0, behind: false };
  const fail = () => {
    failing.calls -= 1;
    throw new Error('Redis does not answer');
  };
  const call: Call = async (action) => {
    await turn('call');
    if (failing.calls > 0 && !failing.behind) fail();
    const result = action();
    if (failing.calls > 0) fail();
    await turn('answer');
    return result;
  };
  const connection = new ModelSubscriber(turn);
  const model = new ModelLog((message) => {
    connection.published(message);
  });
  const roomLog = model.connect(call);
  const subscriber = connection as Partial<Subscriber> as Subscriber;
  const hub = new RoomHub({ roomLog, subscriber, keys: createKeys('model'), log });
  const reader = new LogReader(roomLog);

  const flights = new SingleFlight<{ cursor: string; view: ModelView }>();
  // As `Snapshots` does it: Redis first, then Postgres.
  const snapshot = () =>
    flights.do(room, async () => {
      const { cursor, transcripts } = await roomLog.look(room);
      await turn('Postgres');
      const live = transcripts.get(generationId);
      const { ended, text } = model.postgres;
      const leftOver =
        live !== undefined &&
        ended &&
        !model.postgres.outbox &&
        (await roomLog.look(room)).transcripts.has(generationId);
      if (ended && (live === undefined || leftOver)) return { cursor, view: { ended, text } };
      return { cursor, view: { ended: false, text: textOfTranscript(live ?? '') } };
    });
  const clients = plan.clients.map(
    (clientPlan) => new ModelClient({ plan: clientPlan, room, log, model, hub, reader, snapshot, turn }),
  );

  const attempt = async (number: number, tokens: number, dies: boolean) => {
    await turn('job');
    const { postgres } = model;
    if (postgres.ended || postgres.attempt >= number) return;
    postgres.attempt = number;
    const mayWrite = () => !postgres.ended && postgres.attempt === number;
    const writer = new LogWriter({
      roomLog,
      room,
      generationId,
      messageId: 'm',
      attempt: number,
      flush: { by: 'time', ms: 0 },
      render: undefined,
      confirm: async () => {
        await turn('Postgres');
        return mayWrite() ? 'current' : 'fenced';
      },
      onStop: () => undefined,
      log,
    });
    const before = await writer.open({ parts: [], usage: null }, new AbortController().signal);
    if (before === undefined) return;
    const written = textOfTranscript(before);
    if (written === '') {
      if (number > 1) writer.reset('worker_lost');
      writer.write({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
    }
    for (const text of answer.slice(written.length, written.length + tokens)) {
      await turn('token');
      writer.write({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
    }
    if (dies) {
      writer.close();
      return;
    }
    await writer.drain(longMs);
    await turn('Postgres');
    if (!mayWrite()) return;
    Object.assign(postgres, { ended: true, text: textOfTranscript(writer.written), outbox: true });
    const data = JSON.stringify({ generationId });
    const end = { outboxId: 1, type: 'generation.completed', data, ends: generationId };
    while (!(await succeeds(roomLog.tell(room, [end])))) await turn('relay');
    postgres.outbox = false;
  };
  const work = async () => {
    const attempts = [];
    for (const [i, { tokens, zombie }] of plan.attempts.entries()) {
      const running = zombie ? attempt(i + 1, answer.length, false) : attempt(i + 1, tokens, true);
      attempts.push(running);
      // A zombie is one whose heir does not wait for it.
      if (!zombie) await running;
      await turn('lock expires');
    }
    attempts.push(attempt(plan.attempts.length + 1, answer.length, false));
    await Promise.all(attempts);
  };

  const harm = async ({ late, fault }: Plan['faults'][number]) => {
    for (let i = 0; i < late; i += 1) await turn('all is well');
    switch (fault.kind) {
      case 'wipe':
        model.wipe(fault.clockBack);
        break;
      case 'trim':
        model.trim(fault.length);
        break;
      case 'cut':
        await connection.cut(fault.turns);
        break;
      case 'fail':
        Object.assign(failing, fault);
        break;
    }
  };

  await scheduler.waitFor(
    Promise.all([work(), ...clients.map((client) => client.run()), ...plan.faults.map(harm)]),
  );
  await scheduler.waitIdle();
  // Nothing tells readers of a log that was wiped behind its last entry, until somebody looks.
  if (plan.faults.some(({ fault: { kind } }) => kind === 'wipe' || kind === 'trim'))
    await scheduler.waitFor(connection.cut(0));
  await scheduler.waitIdle();
  const faults = clients.flatMap((client, i) => {
    client.end();
    return client.faults.map((fault) => `client ${i}: ${fault}`);
  });
  if (model.postgres.text !== answer) faults.push(`the answer is "${model.postgres.text}"`);
  if (hub.size > 0 || connection.size > 0) faults.push('somebody still listens');
  return faults;
}

const succeeds = (promise: Promise<unknown>) =>
  promise.then(
    () => true,
    () => false,
  );

/** A subscriber whose messages come late, in order, and not at all while its connection is away. */
class ModelSubscriber {
  readonly #handlers = new Map<string, (message: string) => void>();
  readonly #restored = new Set<() => void>();
  #connected = 0;
  #cuts = 0;
  #inFlight: string[] = [];

  constructor(private readonly turn: (label: string) => Promise<void>) {}

  get size(): number {
    return this.#handlers.size;
  }

  async subscribe(channel: string, handler: (message: string) => void): Promise<void> {
    this.#handlers.set(channel, handler);
    const cuts = this.#cuts;
    await this.turn('subscribe');
    if (this.#connected < 0 || cuts !== this.#cuts) throw new Error('the connection was lost');
  }

  unsubscribe(channel: string): void {
    this.#handlers.delete(channel);
  }

  onRestored(listener: () => void): () => void {
    this.#restored.add(listener);
    return () => this.#restored.delete(listener);
  }

  published(message: string): void {
    if (this.#connected < 0) return;
    this.#inFlight.push(message);
    const cuts = this.#cuts;
    void this.turn('publication').then(() => {
      if (cuts !== this.#cuts) return;
      const oldest = this.#inFlight.shift();
      if (oldest !== undefined) for (const handler of this.#handlers.values()) handler(oldest);
    });
  }

  async cut(turns: number): Promise<void> {
    this.#connected -= 1;
    this.#cuts += 1;
    this.#inFlight = [];
    for (let i = 0; i <= turns; i += 1) await this.turn('away');
    this.#connected += 1;
    if (this.#connected === 0) for (const listener of this.#restored) listener();
  }
}
