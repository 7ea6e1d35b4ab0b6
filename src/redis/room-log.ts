import type { HtmlBlock } from '../domain/generation.js';
import type { Cursor } from '../wire/cursor.js';
import type { Room } from '../wire/room.js';
import { nodesOf, type RedisClient } from './connect.js';
import { joinWrites } from './join-writes.js';
import type { Keys } from './keys.js';
import { defineScripts, type RunScript } from './scripts.js';

/** One event of a room, as it stands in the log: its payload is not parsed on its way to the clients. */
export interface LogEntry {
  cursor: Cursor;
  type: string;
  /** The payload as JSON, without the cursor. */
  data: string;
}

/** An event of the outbox that goes into the log. */
export interface OutboxEvent {
  outboxId: number;
  type: string;
  data: string;
  /** The generation whose terminal event this is. */
  ends: string | null;
}

export type AppendResult = 'ok' | 'cancelled' | 'fenced' | 'lost';

export interface AppendRequest {
  room: Room;
  generationId: string;
  attempt: number;
  /** Number of this append within the attempt, from 1, without gaps. */
  n: number;
  entries: readonly Pick<LogEntry, 'type' | 'data'>[];
  /** What is added to the transcript; with `anew` it takes its place. */
  transcript: string;
  anew: boolean;
  /** Rendered blocks that are done. */
  html?: readonly HtmlBlock[];
  /** Published behind the entries, and kept nowhere: whoever is behind or away does not get it. */
  unlogged?: readonly UnloggedEvent[];
}

/** An event, with all that it says. */
export interface UnloggedEvent {
  type: string;
}

/** `takeOver`: go on from what is there. `replace`: what is there is lost or stale, this is what was written. */
export type OpenMode =
  { mode: 'takeOver' } | { mode: 'replace'; n: number; transcript: string; html?: readonly HtmlBlock[] };

/** A room as it is at a cursor. */
export interface RoomView {
  cursor: Cursor;
  /** The transcripts of the generations that are being written, by id. */
  transcripts: ReadonlyMap<string, string>;
}

/** Longest log, in entries. A cursor that has been trimmed away gets a snapshot. */
const maxLength = 10_000;
const logTtlMs = 3_600_000;
/** Longer than any generation may run; they are deleted when it ends. */
const liveTtlMs = 2 * 86_400_000;
const endedTtlMs = 3_600_000;

/**
 * The ordered events of the rooms, each in a Redis Stream. The invariants stand in `lua/*.lua`, the reasons in
 * `docs/decisions/0001-room-log.md`.
 *
 * Every method fails when Redis does not answer; a repeated call is safe.
 */
export class RoomLog {
  readonly #run: RunScript;

  constructor(
    private readonly redis: RedisClient,
    private readonly keys: Keys,
  ) {
    this.#run = defineScripts(redis);
  }

  /** Lets an attempt write, after Postgres has confirmed it. Answers the transcript it goes on from, or `fenced`. */
  async open(
    room: Room,
    generationId: string,
    attempt: number,
    how: OpenMode,
  ): Promise<{ status: 'ok'; transcript: string } | { status: 'fenced' }> {
    const { keys } = this;
    const [status, transcript = ''] = await this.#run(
      'open',
      [
        keys.log(room),
        keys.head(room),
        keys.channel(room),
        keys.generation(room, generationId),
        keys.transcript(room, generationId),
        keys.live(room),
        keys.html(room, generationId),
      ],
      [
        generationId,
        attempt,
        logTtlMs,
        liveTtlMs,
        ...(how.mode === 'replace'
          ? ['replace', how.n, how.transcript, ...fieldsOf(how.html ?? [])]
          : ['take over']),
      ],
    );
    return status === 'ok' ? { status, transcript } : { status: 'fenced' };
  }

  /** Appends what an attempt has streamed. */
  async append(request: AppendRequest): Promise<AppendResult> {
    const { room, generationId, attempt, n, entries, transcript, anew, html = [], unlogged = [] } = request;
    const { keys } = this;
    const args: (string | number)[] = [
      attempt,
      n,
      maxLength,
      logTtlMs,
      liveTtlMs,
      anew ? 'begin anew' : 'go on',
      transcript,
      html.length,
      unlogged.length,
      ...fieldsOf(html),
    ];
    for (const event of unlogged) args.push(publicationOf(event.type, event));
    for (const { type, data } of entries) args.push(type, data);
    joinWrites(this.redis);
    const [status] = await this.#run(
      'append',
      [
        keys.log(room),
        keys.head(room),
        keys.channel(room),
        keys.generation(room, generationId),
        keys.transcript(room, generationId),
        keys.cancel(room, generationId),
        keys.live(room),
        keys.html(room, generationId),
      ],
      args,
    );
    return status as AppendResult;
  }

  /** Appends events of the outbox, each at most once, in the order of their ids. */
  async tell(room: Room, events: readonly OutboxEvent[]): Promise<void> {
    const { keys } = this;
    joinWrites(this.redis);
    const keyNames = [keys.log(room), keys.head(room), keys.channel(room), keys.live(room)];
    const args: (string | number)[] = [maxLength, logTtlMs, endedTtlMs];
    for (const { outboxId, type, data, ends } of events) {
      args.push(outboxId, type, data, ends ? keyNames.length + 1 : 0, ends ?? '');
      if (ends)
        keyNames.push(
          keys.generation(room, ends),
          keys.transcript(room, ends),
          keys.cancel(room, ends),
          keys.html(room, ends),
        );
    }
    await this.#run('tell', keyNames, args);
  }

  /** What came after a cursor, at most `limit` entries, and the newest cursor; undefined: it cannot be continued. */
  async read(
    room: Room,
    after: Cursor,
    limit: number,
  ): Promise<{ last: Cursor; entries: LogEntry[] } | undefined> {
    const [status, last = '', entries] = (await this.#run(
      'read',
      [this.keys.log(room), this.keys.head(room)],
      [after, limit],
    )) as [string, string?, [string, string[]][]?];
    if (status !== 'ok') return undefined;
    return {
      last,
      entries: (entries ?? []).map(([cursor, [, , , type = '', , data = '']]) => ({ cursor, type, data })),
    };
  }

  /** The room as it is now. `guess`: the generations that were live last time, which saves a round trip. */
  async look(room: Room, guess: readonly string[] = []): Promise<RoomView> {
    const { keys } = this;
    for (let ids = guess; ;) {
      const [status, ...rest] = await this.#run(
        'look',
        [
          keys.log(room),
          keys.head(room),
          keys.channel(room),
          keys.live(room),
          ...ids.map((id) => keys.transcript(room, id)),
        ],
        [logTtlMs, ...ids],
      );
      if (status === 'ok') {
        const [cursor = '', ...transcripts] = rest;
        return { cursor, transcripts: new Map(ids.map((id, i) => [id, transcripts[i] ?? ''])) };
      }
      ids = rest;
    }
  }

  /** Publishes something that is not logged: whoever is behind or away does not get it. */
  async whisper(room: Room, type: string, event: object): Promise<void> {
    await this.redis.spublish(this.keys.channel(room), publicationOf(type, event));
  }

  /** Shows a rendered block that is not done; the newest attempt of a generation that has not ended may. */
  async draw(
    room: Room,
    { generationId, attempt }: { generationId: string; attempt: number },
    block: HtmlBlock,
    event: object,
  ): Promise<void> {
    const { keys } = this;
    await this.#run(
      'draw',
      [keys.generation(room, generationId), keys.html(room, generationId), keys.channel(room)],
      [attempt, liveTtlMs, ...fieldsOf([block]), publicationOf('generation.html', event)],
    );
  }

  /** The rendered blocks of a generation, in their order; for a while after its end, too. */
  async html(room: Room, generationId: string): Promise<HtmlBlock[]> {
    const blocks = await this.redis.hvals(this.keys.html(room, generationId));
    return blocks.map((block) => JSON.parse(block) as HtmlBlock).sort((a, b) => a.block - b.block);
  }

  /** Which of these rooms anybody watches, over all gateways. */
  async watched(rooms: readonly Room[]): Promise<Room[]> {
    if (rooms.length === 0) return [];
    const channels = rooms.map((room) => this.keys.channel(room));
    // Each node answers for its own subscribers: [channel, subscribers, channel, subscribers, …] in the order asked for.
    const answers = (await Promise.all(
      nodesOf(this.redis).map((node) => node.call('PUBSUB', 'SHARDNUMSUB', ...channels)),
    )) as (string | number)[][];
    return rooms.filter((_, i) => answers.some((counts) => Number(counts[2 * i + 1]) > 0));
  }

  /** What a generation has written so far; empty: nothing, or it has ended. */
  async transcript(room: Room, generationId: string): Promise<string> {
    return (await this.redis.get(this.keys.transcript(room, generationId))) ?? '';
  }
}

/** An event as it is published without being logged. */
const publicationOf = (type: string, event: object) => `- - ${type} ${JSON.stringify(event)}`;

/** Rendered blocks as the fields of a hash. */
const fieldsOf = (blocks: readonly HtmlBlock[]) =>
  blocks.flatMap((block) => [block.block, JSON.stringify(block)]);
