import type Anthropic from '@anthropic-ai/sdk';
import { tokensOfCharacters } from '../domain/tokens.js';

export interface Turn {
  role: 'user' | 'assistant';
  content: Anthropic.ContentBlockParam[];
}

export type Params = Omit<Anthropic.MessageCreateParams, 'messages'> & { messages: Turn[] };

/** Kept for five minutes from its last use: as long as a conversation rests. */
const marker = { type: 'ephemeral' } as const;

/**
 * The fewest tokens that are cached, by model; markers before less do nothing.
 * https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching#cache-limitations
 */
const leastTokens: readonly (readonly [RegExp, number])[] = [
  [/^claude-(opus|fable|mythos)-5/, 512],
  [/^claude-(sonnet-[45]|opus-4-(8|1)|opus-4(-\d{8})?$)/, 1024],
  [/^claude-opus-4-7/, 2048],
];
/** Of Opus 4.5 and 4.6, Haiku 4.5, and whatever nobody knows yet. */
const mostLeastTokens = 4096;

const leastTokensOf = (model: string): number =>
  leastTokens.find(([pattern]) => pattern.test(model))?.[1] ?? mostLeastTokens;

/**
 * Marks what the next call is going to begin with, for Anthropic's prompt cache: the tools, the system prompt, and the
 * last two turns of the user, the newer for the next call, the older since the last call has marked it. That makes at most
 * four markers, which is how many there may be. The cache compares from the front (tools, system prompt, messages), so a
 * marker counts all that stands before it; one is set only where that is enough to be cached.
 *
 * Messages are marked only where there is a history: of a first question it is not known whether there will be a second,
 * and writing to the cache costs a quarter more than not writing.
 */
export function markForCache(params: Params): Params {
  const { tools, system, messages, model } = params;
  const least = leastTokensOf(model);
  let tokens = sizeOf(tools);
  const markTools = tools !== undefined && tokens >= least;
  tokens += sizeOf(system);
  const markSystem = typeof system === 'string' && system !== '' && tokens >= least;
  const hasHistory = messages.some(({ role }) => role === 'assistant');
  const marked = new Set<number>();
  for (const [at, { role, content }] of messages.entries()) {
    tokens += sizeOf(content);
    if (hasHistory && role === 'user' && tokens >= least) marked.add(at);
  }
  const last = new Set([...marked].slice(-2));
  return {
    ...params,
    ...(markTools && { tools: tools.map((tool, at) => (at === tools.length - 1 ? withMarker(tool) : tool)) }),
    ...(markSystem && { system: [{ type: 'text', text: system, cache_control: marker }] }),
    messages: messages.map((message, at) => (last.has(at) ? withLastBlockMarked(message) : message)),
  };
}

const sizeOf = (value: unknown): number =>
  value === undefined ? 0 : tokensOfCharacters(JSON.stringify(value).length);

function withLastBlockMarked({ role, content }: Turn): Turn {
  const last = content.at(-1);
  // What users write and what tools answer; other blocks may take no marker.
  if (last?.type !== 'text' && last?.type !== 'tool_result') return { role, content };
  return { role, content: content.with(-1, withMarker(last)) };
}

const withMarker = <T extends object>(block: T) => ({ ...block, cache_control: marker });
