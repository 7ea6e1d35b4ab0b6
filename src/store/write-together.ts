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

/** Writes of these kinds, with whatever values. */
interface Statement {
  prepare: (db: Executor) => { execute: (values: Record<string, unknown>) => Promise<unknown> };
  /** Each value's name in the statement, and where it is: known once that is built. */
  places: Map<string, { n: number; name: string }>;
}

const statements = new Map<string, Statement>();

/**
 * Writes in one statement, which it begins as it is called: a statement costs Postgres and the driver more than most of
 * what one writes. None sees what the others change, and no row is changed by two; references are checked behind all.
 */
export async function writeTogether(tx: Transaction, writes: readonly Write[]): Promise<void> {
  if (writes.length === 0) return;
  const { prepare, places } = statementOf(writes);
  const statement = prepare(tx);
  const values: Record<string, unknown> = {};
  for (const [placed, { n, name }] of places) {
    const given = writes[n]?.values ?? {};
    if (!(name in given)) throw new Error(`there is no ${name} to be written`);
    values[placed] = given[name];
  }
  await statement.execute(values);
}

function statementOf(writes: readonly Write[]): Statement {
  const kinds = writes.map(({ kind }) => kind).join();
  const known = statements.get(kinds);
  if (known) return known;
  const builds = writes.map(({ build }) => build);
  const places: Statement['places'] = new Map();
  const placeOf =
    (n: number): ValueOf =>
    (name) => {
      const placed = `${n}_${name}`;
      places.set(placed, { n, name });
      return sql.placeholder(placed);
    };
  const prepare = prepared((db) => {
    const parts = builds.map((build, n) => db.$with(`write_${n}`, {}).as(build(db, placeOf(n)).getSQL()));
    return db
      .with(...parts)
      .select({ one: sql`1` })
      .from(sql`(values (1)) as one`)
      .prepare('write_together');
  });
  const statement = { prepare, places };
  statements.set(kinds, statement);
  return statement;
}
