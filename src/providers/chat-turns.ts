import {
  textOf,
  toolResultText,
  type TextBlock,
  type ThinkingBlock,
  type ToolResultBlock,
  type ToolUseBlock,
} from '../domain/content.js';
import { historyTurns, type HistoryTurn } from './history.js';
import type { ProviderRequest } from './provider.js';

/** A message of a chat completion, before an SDK's names are put on it. */
export type ChatTurn =
  | { role: 'user'; text: string }
  | { role: 'assistant'; text: string; thinking: ThinkingBlock[]; calls: ChatCall[] }
  | { role: 'tool'; callId: string; name: string; text: string };

export interface ChatCall {
  id: string;
  name: string;
  json: string;
}

/**
 * The history as chat completions want it: a message holds one text, and each call of a tool is followed by its result,
 * in a message of its own. Blank messages are left out.
 */
export function chatTurns({ messages }: ProviderRequest): ChatTurn[] {
  return historyTurns(messages).flatMap((turn) =>
    turn.role === 'user' ? userTurns(turn.content) : answerTurns(turn),
  );
}

function userTurns(content: readonly TextBlock[]): ChatTurn[] {
  const texts = content.map(({ text }) => text).filter((text) => text.trim() !== '');
  return texts.length > 0 ? [{ role: 'user', text: texts.join('\n\n') }] : [];
}

function answerTurns({ content, results }: Extract<HistoryTurn, { role: 'assistant' }>): ChatTurn[] {
  const text = textOf(content);
  const thinking = content.filter((block) => block.type === 'thinking');
  const calls = content.filter((block) => block.type === 'tool_use');
  if (!text.trim() && calls.length === 0) return [];
  return [
    { role: 'assistant', text, thinking, calls: calls.map(callOf) },
    ...results.map((result, at) => ({
      role: 'tool' as const,
      callId: result.tool_use_id,
      name: calls[at]?.name ?? '',
      text: resultText(result),
    })),
  ];
}

function callOf({ id, name, input }: ToolUseBlock): ChatCall {
  return { id, name, json: JSON.stringify(input ?? {}) };
}

/** Chat completions have no field for failures: the text says so. */
function resultText(result: ToolResultBlock): string {
  const text = toolResultText(result);
  return result.is_error ? `Error: ${text}` : text;
}
