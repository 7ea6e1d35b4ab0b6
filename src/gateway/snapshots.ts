import { LRUCache } from 'lru-cache';
import { ContentAccumulator } from '../domain/content-accumulator.js';
import type { ContentBlock } from '../domain/content.js';
import type { Message } from '../domain/conversation.js';
import { AppError } from '../domain/errors.js';
import { hasEnded, type Generation } from '../domain/generation.js';
import { SingleFlight } from '../lib/single-flight.js';
import type { RoomLog } from '../redis/room-log.js';
import { readTranscript } from '../redis/transcript.js';
import { findConversationView, listConversationViews } from '../store/conversations.js';
import { atOneInstant, type Database, type Executor, type Transaction } from '../store/database.js';
import {
  findGeneration,
  isOfDocument,
  listActiveGenerations,
  listActiveOfDocument,
  listGenerations,
  toGeneration,
  toGenerationHead,
  type GenerationRow,
} from '../store/generations.js';
import { listDocumentHeads, readDocument } from '../store/document-views.js';
import { findMessage, listMessages } from '../store/messages.js';
import { isEndUntold } from '../store/outbox.js';
import type { Cursor } from '../wire/cursor.js';
import type {
  ConversationSnapshot,
  DocumentSnapshot,
  GenerationSnapshot,
  UserSnapshot,
} from '../wire/room-events.js';
import { conversationRoom, documentRoom, userRoom, type Room } from '../wire/room.js';
import { Frame } from './frame.js';
import type { PresenceLists } from './presence-lists.js';

const newestMessages = 50;
const listedConversations = 200;
/** Each brings the list of its sections. */
const listedDocuments = 50;

/** One generation as it is at a cursor. */
export interface GenerationView {
  cursor: Cursor;
  snapshot: GenerationSnapshot;
  /** Where it has ended: its terminal event, made again from what is stored. */
  terminal: Frame | undefined;
}

interface SharedSnapshot {
  cursor: Cursor;
  messages: Message[];
  generations: Generation[];
}

/**
 * Rooms as they are at a cursor.
 *
 * Invariants:
 * - Redis is read first (cursor and live content at one instant), Postgres after it, at one instant too. So Postgres knows
 *   at least what the log says up to the cursor; what it knows beyond comes again as events, which are applied by id; and
 *   a generation is in the snapshot either with its message's end or as one that has not ended, never in between.
 * - A generation that was live at the cursor counts as live, even if Postgres has its end: its terminal event is yet to
 *   come. What it has written is what Redis had of it at the cursor, and never what Postgres knows: so it is the same in
 *   all snapshots of one cursor.
 */
export class Snapshots {
  readonly #flights = new SingleFlight<SharedSnapshot>();
  readonly #documentFlights = new SingleFlight<{ cursor: Cursor; snapshot: DocumentSnapshot }>();
  /** Which generations were live when a room was last looked at: a guess that saves a round trip. */
  readonly #live = new LRUCache<Room, string[]>({ max: 10_000 });

  constructor(
    private readonly options: { db: Database; roomLog: RoomLog; presence: Pick<PresenceLists, 'list'> },
  ) {}

  /** A conversation's room as one of its members sees it. @throws AppError not_found */
  async conversation(
    conversationId: string,
    userId: string,
  ): Promise<{ cursor: Cursor; snapshot: ConversationSnapshot }> {
    const room = conversationRoom(conversationId);
    // One read for all who come at a time: it may be a little older than the call, and the log tells the rest.
    const [{ cursor, messages, generations }, users] = await Promise.all([
      this.#flights.do(room, () => this.#readShared(room, conversationId)),
      this.options.presence.list(room),
    ]);
    const conversation = await findConversationView(this.options.db, conversationId, userId);
    if (!conversation) throw new AppError('not_found', 'There is no such conversation.');
    return { cursor, snapshot: { conversation, messages, generations, users } };
  }

  /** One generation alone. @throws AppError not_found */
  async generation(generationId: string, room: Room): Promise<GenerationView> {
    const { db } = this.options;
    const { cursor, transcripts } = await this.#look(room);
    const row = await findGeneration(db, generationId);
    if (!row) throw new AppError('not_found', 'There is no such generation.');
    const transcript = transcripts.get(generationId);
    const live = transcript !== undefined && !(await this.#isLeftOver(db, row, room));
    if (live || !hasEnded(row.status)) {
      const generation = await this.#withHtml(await readLive(db, row, transcript), room);
      return { cursor, snapshot: { generation }, terminal: undefined };
    }
    const type = `generation.${row.status}`;
    const message = (await findMessage(db, row.messageId)) ?? null;
    const generation = isOfDocument(row) ? toGeneration(row) : toGenerationHead(row);
    const event = { type, room, at: row.endedAt, generationId, generation, message };
    return {
      cursor,
      snapshot: { generation: await this.#withHtml(toGeneration(row), room) },
      terminal: new Frame(type, cursor, JSON.stringify(event)),
    };
  }

  /** A document's room, as its owner sees it. @throws AppError not_found */
  async document(documentId: string): Promise<{ cursor: Cursor; snapshot: DocumentSnapshot }> {
    const { db } = this.options;
    const room = documentRoom(documentId);
    return this.#documentFlights.do(room, async () => {
      const { cursor, transcripts } = await this.#look(room);
      const { document, open } = await atOneInstant(db, async (tx) => {
        const active = await listActiveOfDocument(tx, documentId);
        const open = await this.#readOpen(tx, room, documentId, transcripts, active);
        return { document: await readDocument(tx, documentId), open };
      });
      if (!document) throw new AppError('not_found', 'There is no such document.');
      return { cursor, snapshot: { document, generations: await this.#allWithHtml(open, room) } };
    });
  }

  /** What a person's lists show. */
  async user(userId: string): Promise<{ cursor: Cursor; snapshot: UserSnapshot }> {
    const { db } = this.options;
    const { cursor } = await this.#look(userRoom(userId));
    const [conversations, documents] = await Promise.all([
      listConversationViews(db, userId, { limit: listedConversations }),
      listDocumentHeads(db, userId, { limit: listedDocuments }),
    ]);
    return {
      cursor,
      snapshot: {
        conversations: conversations.slice(0, listedConversations),
        documents: documents.slice(0, listedDocuments),
      },
    };
  }

  async #readShared(room: Room, conversationId: string): Promise<SharedSnapshot> {
    const { db } = this.options;
    const { cursor, transcripts } = await this.#look(room);
    const { messages, open } = await atOneInstant(db, async (tx) => {
      const active = await listActiveGenerations(tx, conversationId);
      const open = await this.#readOpen(tx, room, conversationId, transcripts, active);
      const withoutGenerations = open.map(({ id }) => id);
      const messages = await listMessages(tx, conversationId, { limit: newestMessages, withoutGenerations });
      return { messages: messages.slice(-newestMessages), open };
    });
    return { cursor, messages, generations: await this.#allWithHtml(open, room) };
  }

  /** The generations of a room that have not ended, or whose end is yet to be told, with what they have written. */
  async #readOpen(
    tx: Transaction,
    room: Room,
    placeId: string,
    transcripts: ReadonlyMap<string, string>,
    active: readonly GenerationRow[],
  ): Promise<Generation[]> {
    const rows = new Map(active.map((row) => [row.id, row]));
    for (const row of await listGenerations(tx, placeId, [...transcripts.keys()]))
      if (!(await this.#isLeftOver(tx, row, room))) rows.set(row.id, row);
    const open: Generation[] = [];
    for (const row of [...rows.values()].sort((a, b) => a.sequence - b.sequence))
      open.push(await readLive(tx, row, transcripts.get(row.id)));
    return open;
  }

  #allWithHtml(generations: readonly Generation[], room: Room): Promise<Generation[]> {
    return Promise.all(generations.map((generation) => this.#withHtml(generation, room)));
  }

  /** With its rendered blocks: read after the cursor, so that what they lack of it comes again as events. */
  async #withHtml(generation: Generation, room: Room): Promise<Generation> {
    if (generation.options.render !== 'html') return generation;
    return { ...generation, html: await this.options.roomLog.html(room, generation.id) };
  }

  /**
   * Whether Redis takes for live what has ended and been told. It is so for good when a worker that hung between Postgres
   * and its `open` finds a Redis that was wiped, and so nothing that fences it.
   */
  async #isLeftOver(db: Executor, row: GenerationRow, room: Room): Promise<boolean> {
    if (!hasEnded(row.status) || (await isEndUntold(db, room, row.id))) return false;
    const { transcripts } = await this.#look(room);
    return transcripts.has(row.id);
  }

  async #look(room: Room) {
    const view = await this.options.roomLog.look(room, this.#live.get(room));
    const live = [...view.transcripts.keys()];
    if (live.length > 0) this.#live.set(room, live);
    else this.#live.delete(room);
    return view;
  }
}

/** A generation that has not ended as far as the log tells, with what it has written at the cursor. */
async function readLive(db: Executor, row: GenerationRow, transcript = ''): Promise<Generation> {
  return asLive(toGeneration(row, transcript === '' ? await readBeginning(db, row) : contentOf(transcript)));
}

/**
 * What a generation begins with that has written nothing as far as the log tells: what it continues, which its message
 * holds until it ends. The row may know more, handed over by a worker. But the log does not tell when that came there,
 * so of two snapshots at one cursor only one would show it; it is shown when it has been put back into the log.
 */
async function readBeginning(db: Executor, row: GenerationRow): Promise<ContentBlock[]> {
  if (row.content.length === 0 || isOfDocument(row)) return [];
  return (await findMessage(db, row.messageId))?.content ?? [];
}

/** A generation whose end the log has still to tell is not shown as ended. */
function asLive(generation: Generation): Generation {
  if (!hasEnded(generation.status)) return generation;
  return {
    ...generation,
    status: 'running',
    stopReason: null,
    stopSequence: null,
    error: null,
    endedAt: null,
  };
}

function contentOf(transcript: string): ContentBlock[] {
  const accumulator = new ContentAccumulator();
  for (const part of readTranscript(transcript).parts) accumulator.apply(part);
  return accumulator.content;
}
