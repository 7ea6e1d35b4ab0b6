import { sql, type Placeholder, type SQLWrapper } from 'drizzle-orm';
import type { Executor, Transaction } from './database.js';
import { prepared } from './prepared.js';

/** Something to be written, by itself or with others. */
export interface Write {
  /** Those of one kind are one statement, with other values. */
  kind: string;
  /** Builds it, once for each connection. */
  build: (db: Executor, value: ValueOf) => SQLWrapper;
  values: Record<string, unknown>;
}

/** Where a value goes. */
export type ValueOf = (name: string) => Placeholder;

interface Statement {
  execute: (values: Record<string, unknown>) => Promise<unknown>;
}

const statements = new Map<string, (db: Executor) => Statement>();

/**
 * Writes in one statement, which it begins as it is called: a statement costs Postgres and the driver more than most of
 * what one writes. None sees what the others change, and no row is changed by two; references are checked behind all.
 */
export async function writeTogether(tx: Transaction, writes: readonly Write[]): Promise<void> {
  if (writes.length === 0) return;
  const values = writes.flatMap((write, n) =>
    Object.entries(write.values).map(([name, value]) => [valueName(n, name), value] as const),
  );
  await statementOf(writes)(tx).execute(Object.fromEntries(values));
}

function statementOf(writes: readonly Write[]): (db: Executor) => Statement {
  const kinds = writes.map(({ kind }) => kind).join();
  const known = statements.get(kinds);
  if (known) return known;
  const builds = writes.map(({ build }) => build);
  const statement = prepared((db) => {
    const parts = builds.map((build, n) =>
      db.$with(`write_${n}`, {}).as(build(db, (name) => sql.placeholder(valueName(n, name))).getSQL()),
    );
    return db
      .with(...parts)
      .select({ one: sql`1` })
      .from(sql`(values (1)) as one`)
      .prepare('write_together');
  });
  statements.set(kinds, statement);
  return statement;
}

const valueName = (n: number, name: string) => `${n}_${name}`;
