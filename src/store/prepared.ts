import type { Executor } from './database.js';

/**
 * A statement that is built once for each connection, and not for each call: building one costs more than sending it. For
 * those of the busiest paths.
 */
export function prepared<Statement>(build: (db: Executor) => Statement): (db: Executor) => Statement {
  const built = new WeakMap<Executor, Statement>();
  return (db) => {
    const known = built.get(db);
    if (known) return known;
    const statement = build(db);
    built.set(db, statement);
    return statement;
  };
}
