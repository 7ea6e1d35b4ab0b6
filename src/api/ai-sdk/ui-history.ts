import type { ToolUIPart, UIMessage } from 'ai';
import { toolResultText, type ContentBlock, type ToolResultBlock } from '../../domain/content.js';
import type { Message } from '../../domain/conversation.js';
import type { GenerationHead } from '../../domain/generation.js';
import { outputOf, sourceOf } from './part-chunks.js';
import { endOf, type UiData, type UiMetadata } from './ui-chunk.js';

/** A message as `useChat` has it. The metadata of what people wrote are theirs. */
export type UiMessage = UIMessage<UiMetadata | Record<string, unknown>, UiData>;

type UiPart = UiMessage['parts'][number];

/**
 * Stored messages as `useChat` would have them at the end of each stream: an answer that went on from results of the
 * client's tools is one message. What is being written is left out.
 */
export function uiHistory(
  messages: readonly Message[],
  generations: ReadonlyMap<string, GenerationHead>,
): UiMessage[] {
  const told: UiMessage[] = [];
  let goesOn = false;
  for (const message of messages) {
    if (message.role === 'user') {
      const isAnswered = answerCalls(told.at(-1), message.content);
      const parts = message.content.flatMap((block): UiPart[] =>
        block.type === 'text' ? [{ type: 'text', text: block.text }] : [],
      );
      goesOn = isAnswered && parts.length === 0;
      const { clientId, id, metadata } = message;
      if (parts.length > 0)
        told.push({ id: clientId ?? id, role: 'user', parts, ...(metadata && { metadata }) });
    } else if (message.status !== 'streaming') {
      const generation = generations.get(message.generationId ?? '');
      const last = goesOn ? told.at(-1) : undefined;
      const answer: UiMessage = {
        id: last?.id ?? message.id,
        role: 'assistant',
        parts: [...(last?.parts ?? []), ...answerParts(message)],
        ...(generation && { metadata: endOf(generation) }),
      };
      told.splice(last ? -1 : told.length, 1, answer);
      goesOn = false;
    }
  }
  return told;
}

/** Writes the client's results to their calls. Whether there were any. */
function answerCalls(answer: UiMessage | undefined, content: readonly ContentBlock[]): boolean {
  const results = content.filter((block) => block.type === 'tool_result');
  if (results.length === 0 || answer?.role !== 'assistant') return false;
  answer.parts = answer.parts.map((part) => {
    const result = results.find(({ tool_use_id }) => 'toolCallId' in part && tool_use_id === part.toolCallId);
    return result && 'toolCallId' in part && 'state' in part && part.state === 'input-available'
      ? { ...call(part.type as ToolUIPart['type'], part.toolCallId, part.input), ...outcome(result) }
      : part;
  });
  return true;
}

function answerParts({ content, status }: Message): UiPart[] {
  const outcomes = new Map(content.flatMap(outcomesOf));
  return content.flatMap((block, at): UiPart[] => {
    const before = content[at - 1];
    const isFirst = block.type !== 'tool_result' && (!before || before.type === 'tool_result');
    return [
      ...(isFirst ? [{ type: 'step-start' as const }] : []),
      ...partsOfBlock(block, outcomes, status === 'partial'),
    ];
  });
}

/** What calls came to, by their ids. */
function outcomesOf(block: ContentBlock): [string, Outcome][] {
  if (!('tool_use_id' in block)) return [];
  return [
    [
      block.tool_use_id,
      block.type === 'tool_result' ? outcome(block) : { state: 'output-available', output: block.content },
    ],
  ];
}

function partsOfBlock(
  block: ContentBlock,
  outcomes: ReadonlyMap<string, Outcome>,
  isPartial: boolean,
): UiPart[] {
  switch (block.type) {
    case 'text':
      return [
        { type: 'text', text: block.text, state: 'done' },
        ...(block.citations ?? []).flatMap((citation) => sourceOf(citation)),
      ];
    case 'thinking':
      return [{ type: 'reasoning', text: block.thinking, state: 'done' }];
    case 'tool_use':
    case 'server_tool_use': {
      const part = call(`tool-${block.name}`, block.id, block.input);
      const known = outcomes.get(block.id) ?? (isPartial ? stopped : undefined);
      return [known ? { ...part, ...known, providerExecuted: true } : { ...part, state: 'input-available' }];
    }
    default:
      return [];
  }
}

type Outcome = { state: 'output-available'; output: unknown } | { state: 'output-error'; errorText: string };

const stopped: Outcome = { state: 'output-error', errorText: 'The answer was stopped.' };

const call = (type: ToolUIPart['type'], toolCallId: string, input: unknown) => ({ type, toolCallId, input });

function outcome(result: ToolResultBlock): Outcome {
  const text = toolResultText(result);
  return result.is_error
    ? { state: 'output-error', errorText: text }
    : { state: 'output-available', output: outputOf(text) };
}
