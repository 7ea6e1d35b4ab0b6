import { toolResultText, type ContentDelta, type ToolResultBlock } from '../../domain/content.js';
import { parseStorable } from '../../domain/storable.js';
import { isCall, type ToldBlock } from '../telling/told.js';
import type { UiChunk } from './ui-chunk.js';

/** Which tools the client runs itself, by name. */
export type ClientTools = ReadonlySet<string>;

/** Absent where the client runs the tool. */
export const runs = (name: string, clientTools: ClientTools): { providerExecuted?: true } =>
  clientTools.has(name) ? {} : { providerExecuted: true };

/** Names of text and reasoning hold until they have ended. */
const idOf = String;

export function startOf({ start }: ToldBlock, index: number, clientTools: ClientTools): UiChunk[] {
  switch (start.type) {
    case 'text':
      return [{ type: 'text-start', id: idOf(index) }];
    case 'thinking':
      return [{ type: 'reasoning-start', id: idOf(index) }];
    case 'tool_use':
    case 'server_tool_use': {
      const { id: toolCallId, name: toolName } = start;
      return [{ type: 'tool-input-start', toolCallId, toolName, ...runs(toolName, clientTools) }];
    }
    case 'redacted_thinking':
    case 'tool_result':
    case 'container_upload':
      return [];
    default:
      return [
        {
          type: 'tool-output-available',
          toolCallId: start.tool_use_id,
          output: start.content,
          providerExecuted: true,
        },
      ];
  }
}

export function deltaOf({ start }: ToldBlock, index: number, delta: ContentDelta): UiChunk[] {
  switch (delta.type) {
    case 'text_delta':
      return [{ type: 'text-delta', id: idOf(index), delta: delta.text }];
    case 'thinking_delta':
      return [{ type: 'reasoning-delta', id: idOf(index), delta: delta.thinking }];
    case 'input_json_delta':
      return isCall(start)
        ? [{ type: 'tool-input-delta', toolCallId: start.id, inputTextDelta: delta.partial_json }]
        : [];
    case 'citations_delta':
      return sourceOf(delta.citation);
    case 'signature_delta':
      return [];
  }
}

interface Source {
  type: 'source-url';
  sourceId: string;
  url: string;
  title?: string;
}

/** Citations of pages of the web; others cite what the client cannot open. */
export function sourceOf(citation: unknown): Source[] {
  if (typeof citation !== 'object' || citation === null || !('url' in citation)) return [];
  const { url } = citation;
  if (typeof url !== 'string') return [];
  const title = 'title' in citation && typeof citation.title === 'string' ? { title: citation.title } : {};
  return [{ type: 'source-url', sourceId: url, url, ...title }];
}

export function endOf({ start, text }: ToldBlock, index: number, clientTools: ClientTools): UiChunk[] {
  switch (start.type) {
    case 'text':
      return [{ type: 'text-end', id: idOf(index) }];
    case 'thinking':
      return [{ type: 'reasoning-end', id: idOf(index) }];
    case 'tool_use':
    case 'server_tool_use': {
      const call = { toolCallId: start.id, toolName: start.name };
      const input = inputOf(text, start.input);
      if (input !== undefined)
        return [{ type: 'tool-input-available', ...call, input, ...runs(start.name, clientTools) }];
      const errorText = 'The input of the call is not whole.';
      // So that no client takes it for a call to be answered.
      return [{ type: 'tool-input-error', ...call, input: text, errorText, providerExecuted: true }];
    }
    default:
      return [];
  }
}

/** Undefined: it is no JSON. */
function inputOf(json: string, atStart: unknown): unknown {
  if (json === '') return atStart;
  try {
    return parseStorable(json);
  } catch {
    return undefined;
  }
}

export function resultOf(result: ToolResultBlock, by: { providerExecuted?: true }): UiChunk {
  const text = toolResultText(result);
  const { tool_use_id: toolCallId } = result;
  return result.is_error
    ? { type: 'tool-output-error', toolCallId, errorText: text, ...by }
    : { type: 'tool-output-available', toolCallId, output: outputOf(text), ...by };
}

/** Models read text; what is an object or a list in it was one before. */
export function outputOf(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
