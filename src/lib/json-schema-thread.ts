import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { LRUCache } from 'lru-cache';
import { inThread } from './in-thread.js';

/** Compiles and applies JSON Schemas that strangers wrote, in a thread of its own. */

export interface SchemaTask {
  /** As JSON. */
  schema: string;
  /** What is to match it, as JSON; without it the schema is only compiled. */
  json?: string;
}

/** What is wrong, in words for whoever wrote it; empty: nothing. */
export type SchemaProblems = string[];

const options: Options = {
  allErrors: true,
  // Keywords and formats that are not known say nothing.
  strict: false,
  logger: false,
  // Else a small schema could become a large program.
  inlineRefs: false,
  // What is used a few times is not worth it.
  code: { optimize: false },
};

const maxProblems = 10;
const compiled = new LRUCache<string, ValidateFunction>({ max: 50 });

export default inThread(({ schema, json }: SchemaTask): SchemaProblems => {
  let validate: ValidateFunction;
  try {
    validate = compiled.get(schema) ?? compile(schema);
    compiled.set(schema, validate);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  if (json === undefined) return [];
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return [`it is not JSON: ${error instanceof Error ? error.message : String(error)}`];
  }
  return validate(value) ? [] : (validate.errors ?? []).slice(0, maxProblems).map(describe);
});

/** By the rules of draft 2020-12, or of an older one where the schema says so. */
function compile(json: string): ValidateFunction {
  const schema = JSON.parse(json) as Record<string, unknown>;
  const ajv = ajvOf(String(schema.$schema));
  addFormats.default(ajv);
  return ajv.compile(schema);
}

function ajvOf(draft: string): Ajv | Ajv2019 | Ajv2020 {
  if (draft.includes('draft-07')) return new Ajv(options);
  return draft.includes('2019-09') ? new Ajv2019(options) : new Ajv2020(options);
}

function describe({ instancePath, message = 'is wrong', params }: ErrorObject): string {
  const allowed = Array.isArray(params.allowedValues) ? `: ${JSON.stringify(params.allowedValues)}` : '';
  const extra = typeof params.additionalProperty === 'string' ? `: "${params.additionalProperty}"` : '';
  return `${instancePath || 'the whole'} ${message}${allowed}${extra}`.slice(0, 300);
}
