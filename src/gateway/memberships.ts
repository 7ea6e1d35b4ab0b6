import DataLoader from 'dataloader';
import { findMemberships, type Membership } from '../store/conversations.js';
import type { Database } from '../store/database.js';

const mostAtOnce = 200;

type Found = Awaited<ReturnType<typeof findMemberships>>[number];

/**
 * Who is a member of what. All that is asked for in one turn of the event loop is one query, which begins behind the asking:
 * what it answers is as fresh as if each had asked alone.
 */
export class Memberships {
  readonly #loader: DataLoader<Membership, Found>;

  constructor(db: Database) {
    this.#loader = new DataLoader((asked) => findMemberships(db, asked), {
      cache: false,
      maxBatchSize: mostAtOnce,
      batchScheduleFn: setImmediate,
    });
  }

  /** The user's role, and the conversation; undefined: no member. */
  find(conversationId: string, userId: string): Promise<Found> {
    return this.#loader.load({ conversationId, userId });
  }
}
