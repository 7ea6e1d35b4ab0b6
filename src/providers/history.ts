import type { ContentBlock, TextBlock, ToolResultBlock } from '../domain/content.js';
import type { ModelMessage } from './provider.js';

type AnswerBlock = Exclude<ContentBlock, ToolResultBlock>;

/** A turn of a history: what people said, or one round of an answer with the results of its calls. */
export type HistoryTurn =
  | { role: 'user'; content: TextBlock[] }
  | { role: 'assistant'; content: AnswerBlock[]; results: ToolResultBlock[] };

/**
 * A history as all models want it: the results of a round's calls directly behind it and in the order of the calls,
 * wherever they stand in the messages (in the answer where the worker ran the tool, in a later message where the client
 * did). Left out are calls without a result, results without a call, and rounds of which only thinking is left.
 */
export function historyTurns(messages: readonly ModelMessage[]): HistoryTurn[] {
  const takeResult = resultTaker(messages);
  return messages.flatMap(({ role, content }, at): HistoryTurn[] => {
    if (role === 'user') {
      const texts = content.filter((block) => block.type === 'text');
      return texts.length > 0 ? [{ role, content: texts }] : [];
    }
    return rounds(content).flatMap((round) => {
      const results: ToolResultBlock[] = [];
      const kept = round.filter((block) => {
        if (block.type !== 'tool_use') return true;
        const result = takeResult(block.id, at);
        if (result) results.push(result);
        return result !== undefined;
      });
      return kept.every(isThinking) ? [] : [{ role, content: kept, results }];
    });
  });
}

const isThinking = ({ type }: ContentBlock) => type === 'thinking' || type === 'redacted_thinking';

/** An answer, cut where the model went on after the results of its calls. */
function rounds(content: readonly ContentBlock[]): AnswerBlock[][] {
  const all: AnswerBlock[][] = [];
  let before: ContentBlock['type'] = 'tool_result';
  for (const block of content) {
    if (block.type !== 'tool_result') {
      if (before === 'tool_result') all.push([]);
      all.at(-1)?.push(block);
    }
    before = block.type;
  }
  return all;
}

/** Finds each call's result: the first with its id, in its own message or a later one; some servers use ids again. */
function resultTaker(messages: readonly ModelMessage[]) {
  const waiting = new Map<string, { at: number; result: ToolResultBlock }[]>();
  for (const [at, { content }] of messages.entries()) {
    for (const block of content) {
      if (block.type !== 'tool_result') continue;
      const same = waiting.get(block.tool_use_id) ?? [];
      same.push({ at, result: block });
      waiting.set(block.tool_use_id, same);
    }
  }
  return (callId: string, callAt: number): ToolResultBlock | undefined => {
    const same = waiting.get(callId) ?? [];
    const next = same.findIndex(({ at }) => at >= callAt);
    return next < 0 ? undefined : same.splice(0, next + 1).at(-1)?.result;
  };
}
