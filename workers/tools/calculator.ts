import { z } from 'zod';
import { ThreadLimitError, type ThreadPool } from '../../src/lib/thread-pool.js';
import type { Calculated } from './calculator-thread.js';
import { defineTool, ToolError, type Tool } from './tool.js';

const calculationMs = 5000;
const file = new URL('./calculator-thread.js', import.meta.url);

const input = z.object({
  expression: z.string().trim().min(1).max(500).describe('Such as "12.5 * (3 + 4) ^ 2"'),
});

/** Arithmetic by mathjs, with nothing but numbers in it; what takes too long is given up with its thread. */
export const createCalculator = (threads: ThreadPool): Tool =>
  defineTool({
    name: 'calculator',
    input,
    // With the start of a thread, and the wait for it.
    timeoutMs: calculationMs + 25_000,
    run: async ({ expression }, signal) => {
      const answer = await threads
        .run<Calculated>({ file, data: expression, timeoutMs: calculationMs, signal })
        .catch((error: unknown) => {
          if (error instanceof ThreadLimitError) throw new ToolError(`The calculation ${error.message}.`);
          throw error;
        });
      if ('problem' in answer) throw new ToolError(answer.problem);
      return answer.result;
    },
  });
