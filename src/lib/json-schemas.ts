import type { SchemaProblems, SchemaTask } from './json-schema-thread.js';
import { ThreadLimitError, type ThreadPool } from './thread-pool.js';

const file = new URL('./json-schema-thread.js', import.meta.url);

/** A regular expression or a maze of references can keep a machine busy for ever. */
const compileMs = 10_000;
const validateMs = 5000;

type Schema = Readonly<Record<string, unknown>>;

/** JSON Schemas that strangers wrote: draft 2020-12, or 2019-09 or 7 where they say so. */
export class JsonSchemas {
  constructor(private readonly threads: ThreadPool) {}

  /** What keeps a schema from being used; undefined: nothing. */
  async problemOf(schema: Schema): Promise<string | undefined> {
    const [problem] = await this.#run({ schema: JSON.stringify(schema) }, compileMs);
    return problem;
  }

  /** Where JSON does not match a schema; empty: it matches. @throws the signal's reason */
  validate(schema: Schema, json: string, signal: AbortSignal): Promise<SchemaProblems> {
    return this.#run({ schema: JSON.stringify(schema), json }, validateMs, signal);
  }

  async #run(data: SchemaTask, timeoutMs: number, signal?: AbortSignal): Promise<SchemaProblems> {
    try {
      return await this.threads.run<SchemaProblems>({ file, data, timeoutMs, ...(signal && { signal }) });
    } catch (error) {
      if (error instanceof ThreadLimitError) return [`checking it ${error.message}`];
      throw error;
    }
  }
}
