import type { ToolResultBlock } from '../../domain/content.js';
import type { Executor } from '../../store/database.js';
import { findGeneration, isOfConversation, type GenerationRow } from '../../store/generations.js';
import { findCaller, findMessage } from '../../store/messages.js';
import type { EarlierPart } from './tell-event.js';

/** Longer chains are cut at their beginning. */
const maxLength = 100;

/** An answer as `useChat` has it: one message, however often its client's tools were called in between. */
interface AnswerChain {
  /** The client's id of the message: that of the first answer. */
  messageId: string;
  /** What comes before the generation, in order. */
  earlier: EarlierPart[];
}

/** Follows the results that a generation goes on from back to what was asked first. */
export async function answerChain(db: Executor, generation: GenerationRow): Promise<AnswerChain> {
  const earlier: EarlierPart[] = [];
  let first = generation;
  while (earlier.length < maxLength && isOfConversation(first)) {
    const prompt = await findMessage(db, first.promptId);
    const content = prompt?.content ?? [];
    const results = content.filter(isResult);
    // Who says something with the results begins a new turn.
    const result = results.length === content.length ? results[0] : undefined;
    const callerId = result && (await findCaller(db, first.conversationId, result.tool_use_id));
    const caller = callerId === undefined ? undefined : await findGeneration(db, callerId);
    // Ids of calls may come again.
    if (!caller || (caller.position ?? 0) >= first.position) break;
    earlier.unshift({ content: caller.content, options: caller.options, results });
    first = caller;
  }
  return { messageId: first.messageId, earlier };
}

const isResult = (block: { type: string }): block is ToolResultBlock => block.type === 'tool_result';
