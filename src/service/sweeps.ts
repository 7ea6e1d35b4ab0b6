import { hasDocumentEnded } from '../domain/document.js';
import { settledWithin } from '../lib/settled-within.js';
import { lockConversation } from '../store/conversations.js';
import { lockGeneration } from '../store/generations.js';
import { listStaleRooms } from '../store/outbox.js';
import { lockDocument } from '../store/documents.js';
import {
  listInQueueOrRunning,
  listStrandedConversations,
  listStrandedDocuments,
  listUnheardCancels,
} from '../store/sweeps.js';
import { listOverdueDeliveries } from '../store/webhooks.js';
import { queueOf } from '../queue/generation-queue.js';
import { generationRoom, type Room } from '../wire/room.js';
import { stopDocument } from './documents/end-run.js';
import { promote } from './documents/promote.js';
import { promoteNext } from './finish.js';
import { lockPlace } from './lock-place.js';
import type { ServiceContext } from './service-context.js';
import { transact } from './work.js';
import { restoreWritten } from './written.js';

/**
 * What repairs the traces of crashes. Every sweep is safe to run anywhere, at any time and by several at once: it looks
 * again under the lock before it changes anything.
 */

const pageSize = 200;
/** A relay of the process that committed takes milliseconds. */
const staleOutboxMs = 2000;
/** All tries of a relay that is refused at once take less; one that gets no answer is not waited for. */
const relayMs = 3000;
const strandedMs = 2000;
const unheardCancelMs = 1000;
/** An attempt takes at most 15 s; a job that waits for its turn is not added twice. */
const overdueDeliveryMs = 2000;

/**
 * Tells what a process committed and did not come to tell.
 *
 * @throws Error when a room could not be told from here, or not soon: another process is to try
 */
export async function relayStaleRooms({ db, relay }: Pick<ServiceContext, 'db' | 'relay'>): Promise<void> {
  const rooms = await listStaleRooms(db, staleOutboxMs, pageSize);
  const told = Promise.all(rooms.map((room) => relay.relayed(room as Room)));
  if (!(await settledWithin(told, relayMs)) || (await told).includes(false))
    throw new Error('a room could not be told');
}

/** Lets generations go whose predecessor has ended without promoting them. */
export async function promoteStranded(context: ServiceContext): Promise<void> {
  for (const id of await listStrandedConversations(context.db, strandedMs, pageSize))
    await transact(context, async (work) => {
      if (await lockConversation(work.tx, id)) await promoteNext(work, id);
    });
}

/** Lets documents go on in which nothing is queued or runs. */
export async function promoteStrandedDocuments(context: ServiceContext): Promise<void> {
  for (const id of await listStrandedDocuments(context.db, strandedMs, pageSize))
    await transact(context, async (work) => {
      const document = await lockDocument(work.tx, id);
      if (!document || hasDocumentEnded(document.status)) return;
      const broke = await promote(context, work, document);
      if (broke) await promote(context, work, await stopDocument(context, work, document, broke));
    });
}

/** Signals again to workers that have not heard that they are to stop. */
export async function repeatCancels({ db, cancelFlags }: ServiceContext): Promise<void> {
  for (const row of await listUnheardCancels(db, unheardCancelMs, pageSize))
    await cancelFlags.raise(generationRoom(row), row.id);
}

/** Brings deliveries on their way again whose job is no longer in the queue; those whose job is there stay as they are. */
export async function requeueDeliveries({ db, webhooks }: ServiceContext): Promise<void> {
  for (const deliveryId of await listOverdueDeliveries(db, overdueDeliveryMs, pageSize))
    await webhooks.add({ deliveryId });
}

/**
 * Gives generations to the workers whose job is no longer in the queue, with what was handed over of them. Those that run are counted as lost by the
 * worker that takes them: their own has to be given the time to hand them over.
 *
 * @param status `running`: only after living workers have had that time
 */
export async function requeueLost(
  context: ServiceContext,
  status: 'queued' | 'running',
  olderThanMs: number,
): Promise<number> {
  let requeued = 0;
  let afterId = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const page = await listInQueueOrRunning(context.db, status, { afterId, olderThanMs, limit: pageSize });
    for (const found of page) {
      if (await context.queues.has(queueOf(found), found.id)) continue;
      requeued += await transact(context, async (work) => {
        if (!(await lockPlace(work.tx, found))) return 0;
        const row = await lockGeneration(work.tx, found.id);
        if (row?.status !== status) return 0;
        if (status === 'queued') await restoreWritten(context.roomLog, row);
        await work.addJob(row);
        return 1;
      });
    }
    const last = page.at(-1);
    if (!last || page.length < pageSize) return requeued;
    afterId = last.id;
  }
}
