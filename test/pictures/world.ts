import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT } from 'jose';
import postgres from 'postgres';
import type { BrowserContextOptions } from 'playwright-core';
import {
  watchConversation,
  type RoomConnection,
  type RoomConnectionOptions,
  type User,
} from '../../src/client/index.js';
import { remarkMetadata } from '../../web/src/room/remark.js';
import { tintOf } from '../../web/src/ui/tint.js';
import { Desk } from '../e2e/browser.js';
import { Person } from '../support/person.js';
import { startPostgres, startRedis } from '../support/stores.js';
import { startSystem, type System } from '../support/system.js';
import { startUpstream } from '../support/upstream.js';
import { Model, reckon } from './model.js';
import { Screens } from './screens.js';
import { conversations, dailyUsd, documents, spending, title } from './texts.js';

const names = ['Ada', 'Noor', 'Tomás', 'Ilse', 'Wim'] as const;
type Name = (typeof names)[number];
const dayMs = 86_400_000;
const nanoPerUsd = 1_000_000_000;
const dailyLimitUsd = 5;
const secret = 'a secret of the pictures, of more than 32 bytes';
const dayOf = (daysAgo: number) => new Date(Date.now() - daysAgo * dayMs).toISOString().slice(0, 10);

/** Where it is between two and three in the afternoon now. */
const hoursAhead = 14 - new Date().getUTCHours();
const timezoneId = `Etc/GMT${hoursAhead > 0 ? '-' : '+'}${Math.abs(hoursAhead)}`;

/** Machines may be busy: what is waited for comes. */
const patienceMs = 180_000;

const usualScale = 1.5;

interface DeskOptions {
  /** Through which of the two one comes. */
  api?: number;
  name?: Name;
  /** Their session ends so soon. */
  endsInSeconds?: number;
}

/** A running system with the people, conversations and costs of the pictures. */
export class World {
  readonly ids = new Map<string, string>();
  readonly #watches: RoomConnection[] = [];

  private constructor(
    readonly system: System,
    readonly model: Model,
    readonly people: Record<Name, Person>,
    private readonly screens: Screens,
    private readonly sql: postgres.Sql,
    private readonly closers: (() => Promise<unknown>)[],
  ) {}

  static async open(): Promise<World> {
    const closers: (() => Promise<unknown>)[] = [];
    const opened = <T>(thing: T, close: (thing: T) => Promise<unknown>): T => {
      closers.unshift(() => close(thing));
      return thing;
    };
    try {
      const upstream = opened(await startUpstream(), (it) => it.close());
      const redis = opened(await startRedis(), (it) => it.dispose());
      const store = opened(await startPostgres(), (it) => it.dispose());
      const env = {
        AUTH_SECRET: secret,
        USER_BUDGET_USD_PER_DAY: String(dailyLimitUsd),
        DOCUMENT_CONCURRENCY: '3',
        DOCUMENT_SECTIONS_AT_ONCE: '3',
        MISTRAL_API_KEY: 'none is asked',
        IDLE_TIMEOUT_MS: '3600000',
        GENERATION_TIMEOUT_MS: '3600000',
      };
      const system = opened(
        await startSystem({ apis: 2, env, upstream, redisUrl: redis.url, databaseUrl: store.url }),
        (it) => it.stop(),
      );
      const screens = opened(new Screens(), (it) => it.close());
      const sql = opened(postgres(store.url, { max: 2 }), (it) => it.end());
      const found = await Promise.all(
        names.map(async (name, tint) => [name, await arrive(system, name, tint)]),
      );
      const people = Object.fromEntries(found) as Record<Name, Person>;
      return new World(system, new Model(upstream), people, screens, sql, closers);
    } catch (error) {
      for (const close of closers) await close();
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const watch of this.#watches) watch.close();
    for (const close of this.closers) await close();
  }

  /** Somebody's screen. */
  async desk(
    options: BrowserContextOptions,
    { api = 0, name = 'Ada', endsInSeconds }: DeskOptions = {},
  ): Promise<Desk> {
    const { user, token } = this.people[name];
    const { deviceScaleFactor = usualScale } = options;
    const browser = await this.screens.of(deviceScaleFactor);
    const signed = { user, token: endsInSeconds ? await tokenOf(user, endsInSeconds) : token };
    const desk = await Desk.openFor(signed, browser, this.system.api(api), {
      timezoneId,
      bypassCSP: true,
      ...options,
      deviceScaleFactor,
    });
    desk.context.setDefaultTimeout(patienceMs);
    return desk;
  }

  /** A page of nobody's, to lay pictures out on. */
  async sheet(options: BrowserContextOptions) {
    const browser = await this.screens.of(usualScale);
    return browser.newPage({ deviceScaleFactor: usualScale, ...options });
  }

  id(name: string): string {
    const id = this.ids.get(name);
    if (id === undefined) throw new Error(`there is no ${name}`);
    return id;
  }

  /** A new conversation of Ada's with these people in it. */
  async converse(name: string, others: readonly Name[] = [], body: Parameters<Person['converse']>[0] = {}) {
    const id = await this.people.Ada.converse({ title: name, ...body });
    for (const other of others)
      await this.system.addMember(id, this.people[other].user.id, other === 'Wim' ? 'viewer' : 'member');
    this.ids.set(name, id);
    return id;
  }

  /** Somebody looks on in so many windows; the last of them is given. */
  watch(name: Name, conversationId: string, windows = 1): RoomConnection {
    const { token } = this.people[name];
    const options: RoomConnectionOptions = { url: this.system.api().url, getToken: () => token };
    for (let window = 0; window < windows; window++)
      this.#watches.push(watchConversation(conversationId, options));
    const last = this.#watches.at(-1);
    if (!last) throw new Error('nobody looks on');
    return last;
  }

  remark(name: Name, conversationId: string, content: string) {
    const metadata = remarkMetadata;
    return this.people[name].http.sendMessage(conversationId, { content, generate: false, metadata });
  }

  /** Moves what was said in a conversation into the past: the last so many minutes ago, those before in steps. */
  async age(conversationId: string, minutes: readonly number[]): Promise<void> {
    const rows = await this.sql<{ id: string }[]>`
      select id from messages where conversation_id = ${conversationId} order by position desc, id desc`;
    for (const [n, { id }] of rows.entries())
      await this
        .sql`update messages set created_at = now() - ${minutes[n] ?? minutes.at(-1) ?? 0} * interval '1 minute' where id = ${id}`;
  }

  async ageConversation(conversationId: string, minutesAgo: number): Promise<void> {
    await this
      .sql`update conversations set updated_at = now() - ${minutesAgo} * interval '1 minute' where id = ${conversationId}`;
  }

  async ageDocument(documentId: string, daysAgo: number): Promise<void> {
    await this.sql`update documents set created_at = created_at - ${daysAgo} * interval '1 day',
      ended_at = ended_at - ${daysAgo} * interval '1 day' where id = ${documentId}`;
  }

  /** The conversations of the sidebar, as old as they are to be. */
  async furnish(): Promise<void> {
    const { people, model } = this;
    // The first call of a tool starts its thread: it is not what the pictures show.
    model.on('Warm up', reckon('', { thinkingMs: 0 }));
    const warm = await people.Ada.converse();
    const { generation } = await people.Ada.ask(warm, 'Warm up', { tools: ['calculator'] });
    while ((await people.Ada.http.getGeneration(generation.id)).content.length < 2) await sleep(50);
    await people.Ada.http.deleteConversation(warm);
    for (const [name] of conversations) await this.converse(name, ['Noor']);
    for (const text of [
      'The replica is at 17 already.',
      'Dump and restore took 41 min.',
      'Shall I book Sunday?',
    ])
      await this.remark('Noor', this.id('Postgres 17 upgrade plan'), text);
    await this.remark('Noor', this.id('On-call handover, week 47'), 'Two pages, both the same disk.');
    model.on('Which birds winter there?', (request) => void request.text('Dunlin and knot, mostly'));
    await people.Noor.ask(this.id('Tidal barrier: questions'), 'Which birds winter there?');
    await this.markRead(this.id('Tidal barrier: questions'));
    await this.settleSidebar();
  }

  /** Ada has read all that is there. */
  async markRead(conversationId: string): Promise<void> {
    const { http } = this.people.Ada;
    const { items } = await http.listMessages(conversationId);
    await http.markRead(conversationId, Math.max(...items.map(({ position }) => position)));
  }

  /** What has changed since is as old again as it is to be. */
  async settleSidebar(): Promise<void> {
    for (const [name, minutesAgo] of conversations) await this.ageConversation(this.id(name), minutesAgo);
  }

  /** Two months of costs; those of today are what is spent today. */
  async spend(documentId: string): Promise<void> {
    const userId = this.people.Ada.user.id;
    const places = [
      ...[title, title, title, title, 'Tidal barrier: questions', 'Tidal barrier: questions'],
      ...['Tidal barrier: questions', documents[0]?.name ?? '', 'Postgres 17 upgrade plan'],
      ...[
        'Postgres 17 upgrade plan',
        'Query planner regressions',
        'S3 multipart limits and what they cost us',
      ],
    ];
    const rows = [...dailyUsd.keys()].flatMap((n) =>
      [0, 30].flatMap((before) => {
        const dayUsd = (dailyUsd[n] ?? 0) * (before ? 1.136 : 1);
        return spending.flatMap(({ model, share, answers, input, output }) => {
          const usd = dayUsd * share;
          const count = Math.round(usd * answers) || (usd > 0 ? 1 : 0);
          return Array.from({ length: count }, (_, i) => {
            const place = places[(i * 5 + n) % places.length] ?? title;
            const read = (input * usd) / count;
            return {
              generation_id: crypto.randomUUID(),
              user_id: userId,
              conversation_id: this.ids.get(place) ?? null,
              document_id: this.ids.has(place) ? null : documentId,
              day: dayOf(29 - n + before),
              model,
              input_tokens: Math.round(read * 0.57),
              output_tokens: Math.round((output * usd) / count),
              cache_read_input_tokens: Math.round(read * 0.43),
              cache_creation_input_tokens: 0,
              cost_nano: Math.round((usd / count) * nanoPerUsd),
              cache_saved_nano: Math.round((usd / count) * 0.186 * nanoPerUsd),
              first_token_ms: 400,
            };
          });
        });
      }),
    );
    await this.sql`delete from ledger where user_id = ${userId}`;
    for (let at = 0; at < rows.length; at += 500)
      await this.sql`insert into ledger ${this.sql(rows.slice(at, at + 500))}`;
    await this.#setSpent(userId, dailyUsd.at(-1) ?? 0);
  }

  /** Nothing is left of somebody's budget of today. */
  async spendAll(name: Name): Promise<void> {
    await this.#setSpent(this.people[name].user.id, dailyLimitUsd);
  }

  async #setSpent(userId: string, usd: number): Promise<void> {
    const spent = Math.round(usd * nanoPerUsd);
    await this.sql`insert into budgets (scope, subject, period, spent_nano, reserved_nano)
      values ('user', ${userId}, ${dayOf(0)}, ${spent}, 0)
      on conflict (scope, subject, period) do update set spent_nano = ${spent}`;
  }
}

const tokenOf = ({ id, name }: User, seconds: number): Promise<string> =>
  new SignJWT({ name })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(id)
    .setJti('a session of the pictures')
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
    .sign(new TextEncoder().encode(secret));

/** Somebody of this name whose avatar has this colour: the ids are the server's, and so is the luck. */
async function arrive(system: System, name: Name, tint: number): Promise<Person> {
  for (;;) {
    const person = await Person.signIn(system.api(), name);
    if (tintOf(person.user.id) === tint) return person;
  }
}
