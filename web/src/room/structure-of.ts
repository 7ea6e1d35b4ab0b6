import type { GenerationOptions } from '../../../src/client/index.js';
import type { Schema } from '../objects/tree-node.js';

/** Whether an answer was to be JSON, and of which form. */
export const structureOf = (
  options: Pick<GenerationOptions, 'output' | 'outputSchema'> = {},
): { structured: boolean; schema: Schema | null } => ({
  structured: options.output === 'json' || options.outputSchema !== undefined,
  schema: options.outputSchema ?? null,
});
