import { AppError } from '../domain/errors.js';
import type { GenerationOptions } from '../domain/generation.js';
import type { JsonSchemas } from '../lib/json-schemas.js';

/**
 * Refuses an `outputSchema` that cannot be used. Asked once the caller's limits are, since it is work.
 *
 * @throws AppError invalid_request
 */
export async function checkSchema(schemas: JsonSchemas, options: boolean | GenerationOptions): Promise<void> {
  const schema = typeof options === 'object' ? options.outputSchema : undefined;
  const problem = schema && (await schemas.problemOf(schema));
  if (problem === undefined) return;
  const message = `is not a JSON Schema that can be used: ${problem.slice(0, 300)}`;
  throw new AppError('invalid_request', `outputSchema ${message}`, {
    errors: [{ path: 'outputSchema', message }],
  });
}
