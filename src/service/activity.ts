import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../lib/logger.js';
import { reasonOf } from '../lib/root-cause.js';
import type { RedisClient } from '../redis/connect.js';
import type { Keys } from '../redis/keys.js';
import type { RoomLog } from '../redis/room-log.js';
import { findConversationView } from '../store/conversations.js';
import { listMemberIds } from '../store/members.js';
import type { Database } from '../store/database.js';
import { findDocument, listOwners } from '../store/documents.js';
import { readDocumentHead } from '../store/document-views.js';
import { conversationRoom, documentRoom, parseRoom, userRoom, type Room } from '../wire/room.js';

/** People are told of the changes of what is in their lists at most once in this time, over all processes. */
const restMs = 1000;

interface ActivityOptions {
  db: Database;
  redis: RedisClient;
  keys: Keys;
  roomLog: RoomLog;
  log: Logger;
}

/** What is in somebody's list: a conversation or a document. */
type Listed = NonNullable<ReturnType<typeof parseRoom>>;

/** Tells those who watch their own lists (`user:<id>`) that something in them has changed. Best effort. */
export class Activity {
  /** Rooms with a change that is still to be told. */
  readonly #noted = new Set<Room>();
  /** Those of them whose watchers are not known yet; looked for together, one look at a time. */
  #unseen: Listed[] = [];
  #looking = false;
  readonly #closed = new AbortController();

  constructor(private readonly options: ActivityOptions) {}

  /** Notes a change; whoever watches is told at once, or when the last telling is a second ago. */
  note(room: Room): void {
    const listed = parseRoom(room);
    if (!listed || this.#noted.has(room) || this.#closed.signal.aborted) return;
    this.#noted.add(room);
    this.#unseen.push(listed);
    if (!this.#looking) void this.#look();
  }

  close(): void {
    this.#closed.abort();
  }

  async #look(): Promise<void> {
    this.#looking = true;
    while (this.#unseen.length > 0) {
      const seen = this.#unseen;
      this.#unseen = [];
      try {
        const watching = await this.#watchers(seen);
        for (const listed of seen) this.#tell(listed, watching.get(listed.room) ?? []);
      } catch (error) {
        this.#forget(seen, error);
      }
    }
    this.#looking = false;
  }

  #tell(listed: Listed, watching: readonly string[]): void {
    if (watching.length === 0) this.#noted.delete(listed.room);
    else
      this.#tellAll(listed, watching).catch((error: unknown) => {
        this.#forget([listed], error);
      });
  }

  #forget(rooms: readonly Listed[], error: unknown): void {
    for (const { room } of rooms) this.#noted.delete(room);
    const reason = reasonOf(error);
    this.options.log.debug({ rooms: rooms.map(({ room }) => room), reason }, 'activity could not be told');
  }

  async #tellAll(listed: Listed, watching: readonly string[]): Promise<void> {
    const { redis, keys, roomLog } = this.options;
    const key = keys.activity(listed.room);
    while ((await redis.set(key, 1, 'PX', restMs, 'NX')) === null)
      await sleep(restMs, undefined, { signal: this.#closed.signal });
    // What changes from here on is told next time.
    this.#noted.delete(listed.room);
    for (const userId of watching) {
      const room = userRoom(userId);
      const change = await this.#changeFor(listed, userId);
      if (change) await roomLog.whisper(room, change.type, { room, at: new Date().toISOString(), ...change });
    }
  }

  /** Those who have the rooms in their lists and watch these, by room. */
  async #watchers(rooms: readonly Listed[]): Promise<Map<Room, string[]>> {
    const listers = await this.#listers(rooms);
    const userIds = [...new Set(listers.map(({ userId }) => userId))];
    const watched = new Set(await this.options.roomLog.watched(userIds.map(userRoom)));
    const watching = new Map<Room, string[]>();
    for (const { room, userId } of listers)
      if (watched.has(userRoom(userId))) watching.set(room, [...(watching.get(room) ?? []), userId]);
    return watching;
  }

  async #listers(rooms: readonly Listed[]): Promise<{ room: Room; userId: string }[]> {
    const { db } = this.options;
    const ids = (kind: Listed['kind']) => rooms.filter((room) => room.kind === kind).map(({ id }) => id);
    const [conversations, documents] = [ids('conversation'), ids('document')];
    const [members, owners] = await Promise.all([
      conversations.length > 0 ? listMemberIds(db, conversations) : [],
      documents.length > 0 ? listOwners(db, documents) : [],
    ]);
    return [
      ...members.map(({ conversationId, userId }) => ({ room: conversationRoom(conversationId), userId })),
      ...owners.map(({ documentId, userId }) => ({ room: documentRoom(documentId), userId })),
    ];
  }

  async #changeFor({ kind, id }: Listed, userId: string) {
    const { db } = this.options;
    if (kind === 'conversation') {
      const conversation = await findConversationView(db, id, userId);
      return conversation && { type: 'conversation.activity', conversation };
    }
    const row = await findDocument(db, id);
    return row && { type: 'document.activity', document: await readDocumentHead(db, row) };
  }
}
