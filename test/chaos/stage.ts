import postgres from 'postgres';
import { onTestFailed, onTestFinished } from 'vitest';
import type { GenerationRow } from '../../src/store/generations.js';
import type { RoomClient } from '../support/clients.js';
import { Person } from '../support/person.js';
import {
  createTestDatabase,
  startPostgres,
  startRedis,
  testRedisUrl,
  type TestPostgres,
  type TestRedis,
} from '../support/stores.js';
import { startSystem, type System, type SystemOptions, type SystemProcess } from '../support/system.js';
import { startUpstream, type Upstream, type UpstreamRequest } from '../support/upstream.js';
import { openFront, type Front } from './front.js';

interface StageOptions extends Omit<SystemOptions, 'upstream' | 'redisUrl' | 'databaseUrl'> {
  /** Stores of the test's own, which it may harm; else those of the run. */
  own?: readonly ('redis' | 'postgres')[];
  /** The store that is reached through `link`; not one of the test's own. */
  linked?: 'redis' | 'postgres';
}

export interface Stage {
  system: System;
  upstream: Upstream;
  /** Only with `own`. */
  redis: TestRedis;
  postgres: TestPostgres;
  /** Only with `linked`. */
  link: Front;
  ada: Person;
  /** What Postgres has of a generation. */
  row: (generationId: string) => Promise<StoredGeneration>;
  /** The texts of a conversation's answers, as they are stored. */
  answers: (conversationId: string) => Promise<{ text: string; status: string }[]>;
  sql: postgres.Sql;
}

export type StoredGeneration = Pick<
  GenerationRow,
  'status' | 'attempt' | 'lostWorkers' | 'usage' | 'error' | 'stopReason'
>;

/** A running system with an upstream and a person, taken down when the test has ended, however it did. */
export async function setStage({ own = [], linked, ...options }: StageOptions = {}): Promise<Stage> {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  const redis = own.includes('redis') ? await startRedis() : undefined;
  if (redis) onTestFinished(() => redis.dispose());
  const database = own.includes('postgres') ? await startPostgres() : undefined;
  if (database) onTestFinished(() => database.dispose());
  const urls = { redis: redis?.url ?? testRedisUrl(), postgres: database?.url };
  if (linked === 'postgres') {
    const created = await createTestDatabase();
    onTestFinished(() => created.dispose());
    urls.postgres = created.url;
  }
  const directUrl = urls.postgres;
  const link = linked ? await openFront([{ url: urls[linked] ?? '' }]) : undefined;
  if (linked && link) urls[linked] = throughFront(urls[linked] ?? '', link);
  const system = await startSystem({
    ...options,
    upstream,
    redisUrl: urls.redis,
    ...(urls.postgres && { databaseUrl: urls.postgres }),
  });
  onTestFinished(() => system.stop());
  onTestFailed(() => {
    for (const [role, processes] of Object.entries({ api: system.apis, worker: system.workers }))
      for (const [index, { output }] of processes.entries())
        console.log(`${role} ${index} said:\n${output.slice(-30).join('\n')}`);
  });
  const sql = postgres(directUrl ?? system.databaseUrl, { max: 2, onnotice: () => undefined });
  onTestFinished(() => sql.end({ timeout: 1 }));
  const ada = await Person.signIn(system.api(), 'Ada');
  onTestFinished(() => {
    ada.leave();
  });
  return {
    system,
    upstream,
    get redis() {
      return there(redis);
    },
    get postgres() {
      return there(database);
    },
    get link() {
      return there(link);
    },
    ada,
    row: async (id) => {
      const [row] = await sql<StoredGeneration[]>`
        select status, attempt, lost_workers as "lostWorkers", usage, error, stop_reason as "stopReason"
        from generations where id = ${id}`;
      return there(row);
    },
    answers: (id) => sql`
      select text, status from messages where conversation_id = ${id} and role = 'assistant' order by position`,
    sql,
  };
}

/** A conversation that sockets on every api and an event stream watch. */
export interface Watched {
  id: string;
  stage: Stage;
  clients: RoomClient[];
  /** Asks, and answers the generation's id. */
  ask: (question: string) => Promise<string>;
  remark: (content: string) => Promise<void>;
}

export async function watchedConversation(stage: Stage): Promise<Watched> {
  const { ada, system } = stage;
  const id = await ada.converse();
  const clients = [...system.apis.map((api) => ada.via(api).socket(id)), ada.eventStream(id)];
  for (const client of clients) {
    await client.connect();
    onTestFinished(() => {
      client.drop();
    });
  }
  return {
    id,
    stage,
    clients,
    ask: async (question) => (await ada.ask(id, question)).generation.id,
    remark: async (content) => {
      await ada.http.sendMessage(id, { content, generate: false });
    },
  };
}

/** The stored messages of a generation: one. */
export const answerOf = ({ sql }: Stage, generationId: string) => sql`
  select conversation_id as conversation, text, status from messages where generation_id = ${generationId}`;

/** The same address, reached through the front. */
function throughFront(url: string, front: Front): string {
  const changed = new URL(url);
  changed.host = new URL(front.url).host;
  return changed.href;
}

function there<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error('the stage has none');
  return thing;
}

/** The text that the request asks to go on from, whichever way it asks; empty: it asks for an answer from the start. */
export function continuedText({ body: { messages } }: UpstreamRequest): string {
  const assistant = messages.at(-1)?.role === 'assistant' ? messages.at(-1) : messages.at(-2);
  if (assistant?.role !== 'assistant') return '';
  const { content } = assistant;
  return typeof content === 'string' ? content : content.map(({ text = '' }) => text).join('');
}

/** Tells requests apart by what the person asked. */
export const about =
  (question: string) =>
  ({ body }: UpstreamRequest): boolean =>
    JSON.stringify(body.messages).includes(question);

/** How many generations a worker has in its hands. */
export async function running({ url }: SystemProcess): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^tokencast_generations_running (\d+)/m.exec(metrics)?.[1]);
}

/** Resolves when `look` finds something. For states that no event tells of: rows, keys, output. */
export async function eventually<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
