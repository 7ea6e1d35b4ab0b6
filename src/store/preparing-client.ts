import pg from 'pg';

/** Statements that differ in the number of their values only could be without end. */
const maxNames = 500;
const names = new Map<string, string>();

/** The name of a statement; undefined: it has none. */
function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= maxNames) return known;
  const name = `tokencast_${names.size}`;
  names.set(text, name);
  return name;
}

/**
 * A connection that has Postgres parse each statement once, and plan it a few times: about half of what it takes to run
 * one. (A pooler in between must know of prepared statements: PgBouncer does from 1.21 on.)
 */
export class PreparingClient extends pg.Client {
  /**
   * What Postgres has refused first since this was last cleared. Statements that were sent behind it are refused as well,
   * and who awaits one of those may hear of it earlier.
   */
  firstFailure: unknown;

  /** As the driver's own; `never` fits each of the many results that it has by its arguments. */
  override query(config: unknown, ...rest: unknown[]): never {
    const named = isUnnamed(config) ? { ...config, name: nameOf(config.text) } : config;
    const answer: unknown = super.query(named as string, ...(rest as []));
    if (answer instanceof Promise)
      answer.catch((error: unknown) => {
        this.firstFailure ??= error;
      });
    return answer as never;
  }
}

const isUnnamed = (config: unknown): config is { text: string } =>
  typeof config === 'object' &&
  config !== null &&
  'text' in config &&
  typeof config.text === 'string' &&
  !('name' in config && config.name);
