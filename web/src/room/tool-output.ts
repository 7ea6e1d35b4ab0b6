import { toolResultText, type ContentBlock } from '../../../src/client/index.js';

export type ToolUse = Extract<ContentBlock, { type: 'tool_use' | 'server_tool_use' }>;

/** What came back from a tool, as it is shown. */
export interface ToolOutput {
  text: string;
  isError: boolean;
}

/** What the call of this id came back with: from a tool of ours, the client's, or the provider's; null: nothing yet. */
export function outputOf(content: readonly ContentBlock[], callId: string): ToolOutput | null {
  for (const block of content) {
    if (!('tool_use_id' in block) || block.tool_use_id !== callId) continue;
    return block.type === 'tool_result'
      ? { text: toolResultText(block), isError: block.is_error === true }
      : providerOutput(block.content);
  }
  return null;
}

/** Providers answer in words of their own: a list of what was found, an error with a code, or anything else. */
function providerOutput(content: unknown): ToolOutput {
  const error = fieldOf(content, 'error_code');
  if (error !== undefined) return { text: error, isError: true };
  const found = (Array.isArray(content) ? content : [content]).map(
    (one: unknown) => [fieldOf(one, 'title'), fieldOf(one, 'url')].filter(Boolean).join(', ') || null,
  );
  const isList = found.length > 0 && found.every((line) => line !== null);
  return { text: isList ? found.join('\n') : JSON.stringify(content, null, 2), isError: false };
}

function fieldOf(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const field = (value as Record<string, unknown>)[name];
  return typeof field === 'string' ? field : undefined;
}

/** What a tool was called with. A single value stands for itself: its name says nothing that the tool's does not. */
export function inputWords({ input, partial_json: json }: ToolUse): string {
  if (json !== undefined) return json;
  const values = input && typeof input === 'object' ? Object.values(input as Record<string, unknown>) : [];
  const [only] = values;
  if (values.length === 1 && (typeof only === 'string' || typeof only === 'number')) return String(only);
  return JSON.stringify(input, null, 2);
}
