import { getTableColumns, is, sql, SQL } from 'drizzle-orm';
import type { Transaction } from './database.js';
import type { GenerationRow } from './generations.js';
import { prepared } from './prepared.js';
import { generations } from './schema/generations.js';
import type { Write } from './write-together.js';

type Given = 'id' | 'userId' | 'status' | 'model' | 'provider' | 'options' | 'messageId' | 'priority';
type MayBeGiven =
  | 'conversationId'
  | 'documentId'
  | 'sectionIndex'
  | 'phase'
  | 'promptId'
  | 'position'
  | 'content'
  | 'budgetDay'
  | 'reservedNano'
  | 'askedMaxTokens'
  | 'replacesMessageId'
  | 'traceparent'
  | 'queuedAt';

/** What the schema says of columns that are not given; those that Postgres decides about are null. */
const defaults = Object.fromEntries(
  Object.entries(getTableColumns(generations)).map(([name, column]) => [
    name,
    is(column.default, SQL) ? null : (column.default ?? null),
  ]),
);

const time = prepared((db) =>
  db
    .select({ now: sql<string>`now()` })
    .from(sql`(values (1)) as one`)
    .prepare('transaction_time'),
);

/** When the transaction began, by Postgres' clock: as it dates what it stores. */
export async function transactionTime(tx: Transaction): Promise<Date> {
  const [row] = await time(tx).execute();
  if (!row) throw new Error('Postgres does not know the time');
  return new Date(row.now);
}

/** A generation that is about to be stored; its `sequence` is given by Postgres, and not known here. */
export const newGeneration = (
  row: Pick<GenerationRow, Given | 'budgetDay' | 'createdAt'> & Partial<Pick<GenerationRow, MayBeGiven>>,
): GenerationRow => ({ ...(defaults as GenerationRow), ...row });

/** Stores what {@link newGeneration} has made. */
export const generationWrite = (row: GenerationRow): Write => ({
  kind: 'generation',
  build: (db, value) => {
    const given = (name: string) => sql`${value(name)}`;
    return db.insert(generations).values({
      id: given('id'),
      conversationId: given('conversationId'),
      documentId: given('documentId'),
      sectionIndex: given('sectionIndex'),
      phase: given('phase'),
      userId: given('userId'),
      status: given('status'),
      model: given('model'),
      provider: given('provider'),
      // JSON: to be encoded, which the driver would not do with a list.
      options: value('options'),
      content: value('content'),
      promptId: given('promptId'),
      messageId: given('messageId'),
      position: given('position'),
      budgetDay: given('budgetDay'),
      reservedNano: given('reservedNano'),
      askedMaxTokens: given('askedMaxTokens'),
      replacesMessageId: given('replacesMessageId'),
      traceparent: given('traceparent'),
      priority: given('priority'),
      createdAt: given('createdAt'),
      queuedAt: given('queuedAt'),
    });
  },
  values: row,
});
