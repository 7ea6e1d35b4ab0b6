import { fairPriority, queueOf, type QueuedGeneration } from '../queue/generation-queue.js';
import { inSpan } from '../lib/tracing.js';
import type { Transaction } from '../store/database.js';
import { countUnfinishedOfUser, toGenerationHead, type GenerationRow } from '../store/generations.js';
import { outboxWrite, type NewOutboxRow } from '../store/outbox.js';
import { writeTogether, type Write } from '../store/write-together.js';
import type { RoomEventPayloads, RoomEventType } from '../wire/room-events.js';
import { generationRoom, type Room } from '../wire/room.js';
import { endOf } from './generation-end.js';
import type { ServiceContext } from './service-context.js';
import { writeDeliveries, type Notice } from './write-deliveries.js';

interface JobOptions {
  /** Workers take it no earlier. */
  delayMs?: number | undefined;
  /** Unfinished generations of its user, without this one; counted here where it is not given. */
  others?: number;
}

/**
 * One transaction, and what follows from it: events and jobs go into the outbox at its end, signals out after the commit.
 */
export class Work {
  readonly #outbox: NewOutboxRow[] = [];
  readonly #signals: GenerationRow[] = [];
  readonly #ends: GenerationRow[] = [];
  readonly #notices: Notice[] = [];
  readonly #last: Write[] = [];
  readonly #checks: (() => void)[] = [];
  readonly #at = new Date().toISOString();

  constructor(readonly tx: Transaction) {}

  /** Tells everybody in the room. `ends`: the generation whose last event this is. */
  tell<T extends RoomEventType>(room: Room, type: T, payload: RoomEventPayloads[T], ends?: string): void {
    const data = JSON.stringify({ type, room, at: this.#at, ...payload });
    this.#outbox.push({ room, kind: 'event', type, data, ends });
  }

  /** Tells the room that a generation is queued, and gives it to the workers. */
  async enqueue(row: GenerationRow, options?: JobOptions): Promise<void> {
    const room = generationRoom(row);
    this.tell(room, 'generation.queued', { generationId: row.id, generation: toGenerationHead(row) });
    await this.addJob(row, options);
  }

  /** Gives a queued generation to the workers, without telling anybody. */
  async addJob(row: GenerationRow, { delayMs = 0, others }: JobOptions = {}): Promise<void> {
    const before = others ?? (await countUnfinishedOfUser(this.tx, row)) - 1;
    const queued: QueuedGeneration = {
      priority: fairPriority(Math.max(0, before), row.priority),
      delayMs,
      job: { generationId: row.id, ...(row.traceparent !== null && { traceparent: row.traceparent }) },
      ...queueOf(row),
    };
    this.#outbox.push({
      room: generationRoom(row),
      kind: 'job',
      type: row.provider,
      data: JSON.stringify(queued),
    });
  }

  /** Signals the worker that runs the generation to stop, or takes the job out of the queue, after the commit. */
  signal(row: GenerationRow): void {
    this.#signals.push(row);
  }

  /** Notes that a generation has ended: interruptions are logged, and all ends counted, after the commit. */
  ended(row: GenerationRow): void {
    this.#ends.push(row);
  }

  /** Tells the webhooks of whoever it concerns. */
  notify(notice: Notice): void {
    this.#notices.push(notice);
  }

  /** Brings deliveries that are written down on their way. */
  deliver(rows: readonly NewOutboxRow[]): void {
    this.#outbox.push(...rows);
  }

  /** Writes the deliveries, which bring more for the outbox. */
  async settle(): Promise<void> {
    for (const notice of this.#notices) this.deliver(await writeDeliveries(this.tx, notice));
  }

  /**
   * Writes at the end of the transaction, in one statement with all else that is written so and the outbox, and in one
   * round trip with its commit: where nothing of the command reads it again, and nothing else that is written so changes
   * the same row.
   */
  last(...writes: Write[]): void {
    this.#last.push(...writes);
  }

  /** Asked as COMMIT is about to be sent; where it throws, nothing is committed. */
  beforeCommit(check: () => void): void {
    this.#checks.push(check);
  }

  /** Begins what is to be written last, and the outbox; fails at once where it fails before it is sent. */
  close(): Promise<void> {
    for (const check of this.#checks) check();
    const outbox = this.#outbox.length > 0 ? [outboxWrite(this.#outbox)] : [];
    return writeTogether(this.tx, [...this.#last, ...outbox]);
  }

  /** What the commit has set free. Best effort: sweeps repeat what fails here. */
  follow({ relay, cancelFlags, queues, onEnded, log }: ServiceContext): void {
    for (const row of this.#ends) {
      if (row.status !== 'completed') log.info(endOf(row), 'interrupted');
      onEnded?.(row);
    }
    for (const room of new Set(this.#outbox.map((row) => row.room as Room))) relay.request(room);
    for (const row of this.#signals) {
      const { id } = row;
      const done =
        row.status === 'running'
          ? cancelFlags.raise(generationRoom(row), id)
          : queues.remove(queueOf(row), id);
      done.catch((error: unknown) => {
        log.warn({ generationId: id, reason: String(error) }, 'cancel signal failed');
      });
    }
  }
}

/**
 * Runs a command in a transaction; what it told goes out once that has committed.
 *
 * @param name what traces call it
 */
export async function transact<T>(
  context: ServiceContext,
  command: (work: Work) => Promise<T>,
  name = 'transaction',
): Promise<T> {
  const { result, work } = await inSpan(name, () =>
    context.db.transaction(
      async (tx) => {
        const work = new Work(tx);
        const result = await command(work);
        await work.settle();
        return { result, work };
      },
      { closing: (_, { work }) => work.close() },
    ),
  );
  work.follow(context);
  return result;
}
