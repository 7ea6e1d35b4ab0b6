import pg from 'pg';

/** Statements that differ in the number of their values only could be without end. */
const maxNames = 500;
const names = new Map<string, string>();

/** The name of a statement, no other's whatever it is called by who builds it; undefined: it has none. */
function nameOf({ text, name: called = 'tokencast' }: Statement): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= maxNames) return known;
  const name = `${called}_${names.size}`;
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
    const named = isStatement(config) ? { ...config, name: nameOf(config) } : config;
    return this.#noted(super.query(named as string, ...(rest as []))) as never;
  }

  /**
   * Runs a statement that stands for itself: one that has a name is refused where Postgres has forgotten it. (As the
   * others it goes by the extended protocol, for whose messages the driver corks: it shares their write.)
   */
  queryUnnamed(text: string): Promise<pg.QueryResult> {
    const statement = { text, queryMode: 'extended' };
    return this.#noted(super.query(statement));
  }

  #noted<Answer>(answer: Answer): Answer {
    if (answer instanceof Promise)
      answer.catch((error: unknown) => {
        this.firstFailure ??= error;
      });
    return answer;
  }
}

interface Statement {
  text: string;
  name?: string;
}

const isStatement = (config: unknown): config is Statement =>
  typeof config === 'object' && config !== null && 'text' in config && typeof config.text === 'string';
