import { hasContent, textOf, type ContentBlock } from '../src/domain/content.js';
import { modelInfo } from '../src/domain/models.js';
import type { ModelMessage, ProviderRequest } from '../src/providers/provider.js';
import type { StreamState } from './stream-state.js';

/** How a call goes on from what has been written. */
export interface Continuation {
  request: ProviderRequest;
  /** White space that ends the text and may come again; undefined: the call begins a block of its own. */
  whiteSpace: string | undefined;
}

/** How much of the text is quoted for a model that takes no prefill, in UTF-16 code units. */
const quotedLength = 200;

/**
 * What of an answer that broke off a further call can go on from: all up to its last text. Thinking and calls that come
 * behind that cannot be continued; what was called and answered before stays.
 */
export function keepable({ content, round, roundFrom }: StreamState): ContentBlock[] {
  if (textOf(round).trim() === '') return content.slice(0, roundFrom);
  const end = round.at(-1)?.type === 'text' ? round.length : round.findLastIndex(isWritten) + 1;
  return content.slice(0, roundFrom + end);
}

const isWritten = (block: ContentBlock) => block.type === 'text' && block.text.trim() !== '';

/**
 * Makes a request go on from what has been written, which is {@link keepable}: behind the rounds that have ended, and
 * from the text of one that broke off by prefill where the model takes one, else by asking for it.
 */
export function continueFrom(request: ProviderRequest, state: StreamState): Continuation {
  const { content, round, roundFrom, repair } = state;
  const messages = [...request.messages];
  if (roundFrom > 0) messages.push({ role: 'assistant', content: content.slice(0, roundFrom) });
  if (repair) messages.push(said('assistant', repair.answer), said('user', repair.problem));
  if (!hasContent(round)) return { request: { ...request, messages }, whiteSpace: undefined };

  const text = textOf(round);
  if (modelInfo(request.model).abilities.prefill && !request.thinking)
    // The provider cuts the white space, and drops it from what comes.
    return { request: { ...request, messages: [...messages, said('assistant', text)] }, whiteSpace: '' };
  const trimmed = text.trimEnd();
  messages.push(said('assistant', trimmed), said('user', continueInstruction(trimmed)));
  return { request: { ...request, messages }, whiteSpace: text.slice(trimmed.length) };
}

const said = (role: ModelMessage['role'], text: string): ModelMessage => ({
  role,
  content: [{ type: 'text', text }],
});

const continueInstruction = (text: string) =>
  `Your answer was cut off. It ended with:\n\n${text.slice(-quotedLength).toWellFormed()}\n\n` +
  'Go on exactly where it ended, in the middle of the word or line if need be. Repeat nothing of it, and say nothing ' +
  'about the interruption.';
