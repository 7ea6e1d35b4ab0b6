import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../lib/logger.js';
import { reasonOf } from '../lib/root-cause.js';
import type { RedisClient } from '../redis/connect.js';
import type { Keys } from '../redis/keys.js';
import type { RoomLog } from '../redis/room-log.js';
import { findConversationView, listMembers } from '../store/conversations.js';
import type { Database } from '../store/database.js';
import { findDocument } from '../store/documents.js';
import { readDocumentHead } from '../store/document-views.js';
import { parseRoom, userRoom, type Room } from '../wire/room.js';

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
  readonly #closed = new AbortController();

  constructor(private readonly options: ActivityOptions) {}

  /** Notes a change; whoever watches is told at once, or when the last telling is a second ago. */
  note(room: Room): void {
    const listed = parseRoom(room);
    if (!listed || this.#noted.has(room) || this.#closed.signal.aborted) return;
    this.#noted.add(room);
    this.#tell(listed).catch((error: unknown) => {
      this.#noted.delete(room);
      this.options.log.debug({ room, reason: reasonOf(error) }, 'activity could not be told');
    });
  }

  close(): void {
    this.#closed.abort();
  }

  async #tell(listed: Listed): Promise<void> {
    const { redis, keys, roomLog } = this.options;
    const listers = await this.#listers(listed);
    const watched = new Set(await roomLog.watched(listers.map(userRoom)));
    const watching = listers.filter((userId) => watched.has(userRoom(userId)));
    if (watching.length > 0) {
      const key = keys.activity(listed.room);
      while ((await redis.set(key, 1, 'PX', restMs, 'NX')) === null)
        await sleep(restMs, undefined, { signal: this.#closed.signal });
    }
    // What changes from here on is told next time.
    this.#noted.delete(listed.room);
    for (const userId of watching) {
      const room = userRoom(userId);
      const change = await this.#changeFor(listed, userId);
      if (change) await roomLog.whisper(room, change.type, { room, at: new Date().toISOString(), ...change });
    }
  }

  /** The ids of those who have it in their lists. */
  async #listers({ kind, id }: Listed): Promise<string[]> {
    const { db } = this.options;
    switch (kind) {
      case 'conversation':
        return (await listMembers(db, id)).map(({ user }) => user.id);
      case 'document': {
        const document = await findDocument(db, id);
        return document ? [document.userId] : [];
      }
      case 'user':
        return [];
    }
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
