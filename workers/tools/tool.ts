import { z } from 'zod';
import { builtInTools, type BuiltInTool, type ToolDefinition } from '../../src/domain/tools.js';

/** What the model gets to read. */
export interface ToolOutput {
  text: string;
  isError: boolean;
}

/** A tool that workers run. */
export interface Tool extends ToolDefinition {
  /** How long one call may take. */
  timeoutMs: number;
  /** Runs one call. What it throws goes to the model as a failure, in words of its own where it is a {@link ToolError}. */
  run(input: unknown, signal: AbortSignal): Promise<ToolOutput>;
}

/** What went wrong with a call, in words for the model. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}

interface BuiltIn<Input extends z.ZodType> {
  name: BuiltInTool;
  input: Input;
  timeoutMs: number;
  /** Answers text, or a value that becomes JSON. */
  run: (input: z.output<Input>, signal: AbortSignal) => Promise<unknown>;
}

/** A tool of ours: its input is checked before it runs, and its schema is what the model is told. */
export function defineTool<Input extends z.ZodType>({ name, input, timeoutMs, run }: BuiltIn<Input>): Tool {
  const inputSchema = z.toJSONSchema(input, { io: 'input' });
  delete inputSchema.$schema;
  return {
    name,
    description: builtInTools[name],
    inputSchema,
    timeoutMs,
    run: async (given, signal) => {
      const parsed = input.safeParse(given);
      if (!parsed.success) throw new ToolError(`The input is wrong: ${z.prettifyError(parsed.error)}`);
      const output = await run(parsed.data, signal);
      return { text: typeof output === 'string' ? output : JSON.stringify(output), isError: false };
    },
  };
}
