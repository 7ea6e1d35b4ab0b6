import type { ContentBlock } from '../src/domain/content.js';
import type { Message } from '../src/domain/conversation.js';
import type { GenerationOptions } from '../src/domain/generation.js';
import { modelInfo } from '../src/domain/models.js';
import { tokensOf } from '../src/domain/tokens.js';
import type { ToolDefinition } from '../src/domain/tools.js';
import type { ModelMessage, ProviderRequest } from '../src/providers/provider.js';
import type { AnswerAttempt, Attempt } from '../src/service/attempt.js';
import { documentPrompt } from './document-prompt.js';
import { documentInstruction } from './document-question.js';
import type { LogWriter } from './log-writer.js';

const severalPeople =
  'Several people write in this conversation. Each of their messages begins with the name of who wrote it.';

const jsonAlone =
  'Answer in JSON alone: no other words, no code fence. Where there are several values, write one after the other, each ' +
  'beginning on a line of its own.';

interface PromptSettings {
  defaultMaxTokens: number;
  tools: readonly ToolDefinition[];
  /** What the answer has so far: the model reads it, too. */
  written: readonly ContentBlock[];
}

export interface Prompt {
  request: ProviderRequest;
  /** How many of the oldest turns were left out, since the model cannot read so much. */
  cutTurns: number;
}

/** The request that a generation makes of its model. */
export function promptOf(attempt: Attempt, settings: PromptSettings): Prompt {
  return 'task' in attempt
    ? { request: documentPrompt(attempt, settings.defaultMaxTokens), cutTurns: 0 }
    : answerPrompt(attempt, settings);
}

/** Tells the room that the oldest turns were left out, if any were. */
export function warnOfCut(cutTurns: number, writer: Pick<LogWriter, 'warn'>): void {
  if (cutTurns > 0)
    writer.warn('history_cut', `The model cannot read it all: the oldest ${cutTurns} turns were left out.`);
}

/**
 * The request for an answer: the conversation up to its prompt, with its options. What is longer
 * than the model's context is cut at the front, by whole turns (a prompt with its answer); the last one always stays.
 */
function answerPrompt(
  { generation, conversation, history, about }: AnswerAttempt,
  { defaultMaxTokens, tools, written }: PromptSettings,
): Prompt {
  const { options, model } = generation;
  const { contextTokens, maxOutputTokens } = modelInfo(model);
  const authors = new Set(history.map((message) => message.author?.id).filter((id) => id !== undefined));
  const named = authors.size > 1;
  const wantsJson = options.output === 'json' && !options.outputSchema;
  const system = [
    options.system ?? conversation.system,
    about ? documentInstruction(about) : null,
    named ? severalPeople : null,
    wantsJson ? jsonAlone : null,
  ]
    .filter((part) => part !== null && part !== '')
    .join('\n\n');
  const maxTokens = Math.min(options.maxTokens ?? defaultMaxTokens, maxOutputTokens);
  const { messages, cutTurns } = fitting(
    turns(history.map((message) => toModelMessage(message, named))),
    contextTokens - maxTokens - tokensOf(system + JSON.stringify([tools, options.outputSchema, written])),
  );
  return {
    cutTurns,
    request: {
      model,
      system: system === '' ? null : system,
      messages,
      maxTokens,
      temperature: options.temperature,
      topP: options.topP,
      stopSequences: options.stopSequences,
      thinking: fittingThinking(options.thinking, maxTokens),
      ...(tools.length > 0 && { tools }),
      ...(options.outputSchema && { outputSchema: options.outputSchema }),
      repeats: cutTurns === 0 && isWhole(about),
    },
  };
}

/** Of a long document every question is sent other sections, in front of everything else. */
const isWhole = (about: AnswerAttempt['about']): boolean =>
  !about || about.sections.length === about.titles.length;

/** The least that the API takes as a budget. */
const minThinkingTokens = 1024;

/** Thinking is part of the answer's tokens, of which there may be fewer than were asked for. */
function fittingThinking(
  thinking: GenerationOptions['thinking'],
  maxTokens: number,
): GenerationOptions['thinking'] {
  if (thinking?.type !== 'enabled' || thinking.budgetTokens < maxTokens) return thinking;
  return maxTokens > minThinkingTokens ? { ...thinking, budgetTokens: maxTokens - 1 } : undefined;
}

/** The newest turns that fit. */
function fitting(
  messages: readonly ModelMessage[],
  tokens: number,
): { messages: ModelMessage[]; cutTurns: number } {
  let left = tokens;
  let from = messages.length;
  let kept = messages.length;
  while (from > 0) {
    const message = messages[from - 1];
    left -= tokensOf(JSON.stringify(message?.content));
    from -= 1;
    if (!message || (from > 0 && !beginsTurn(message))) continue;
    if (left < 0 && kept < messages.length) break;
    kept = from;
  }
  const cutTurns = messages.slice(0, kept).filter(beginsTurn).length;
  return { messages: messages.slice(kept), cutTurns };
}

/** Results of calls belong to the turn in which these were made. */
const beginsTurn = ({ role, content }: ModelMessage): boolean =>
  role === 'user' && !content.some(({ type }) => type === 'tool_result');

function toModelMessage({ role, content, author }: Message, named: boolean): ModelMessage {
  if (role === 'assistant' || !named || !author) return { role, content };
  const at = content.findIndex(({ type }) => type === 'text');
  const text = content[at];
  if (text?.type !== 'text') return { role, content };
  return { role, content: content.with(at, { ...text, text: `${author.name}: ${text.text}` }) };
}

/** Neighbours of one role as one turn, beginning with the user: what models are made for. */
function turns(messages: readonly ModelMessage[]): ModelMessage[] {
  const merged: ModelMessage[] = [];
  for (const { role, content } of messages) {
    const last = merged.at(-1);
    if (last?.role === role) last.content = [...last.content, ...content];
    else merged.push({ role, content });
  }
  if (merged[0]?.role === 'assistant')
    merged.unshift({ role: 'user', content: [{ type: 'text', text: '(The assistant began.)' }] });
  return merged;
}
