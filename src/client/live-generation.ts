import type { Chunk, ContentBlock, ToolResultBlock } from '../domain/content.js';
import type { Generation, GenerationHead, HtmlBlock } from '../domain/generation.js';
import type { RoomEventOf, WarningCode } from '../wire/room-events.js';
import { applyChunk } from './apply-chunk.js';
import { observe, type WritingPace } from './writing-pace.js';

/** Something about a generation that its readers should know. */
export interface Warning {
  readonly code: WarningCode;
  readonly message: string;
  /** When it was said, ISO 8601 UTC. */
  readonly at: string;
}

/** One of the objects that a structured answer is made of. */
export interface StructuredObject {
  /** As far as it is written. */
  readonly value: unknown;
  readonly complete: boolean;
}

/** How far a generation is, as its worker told last. */
export type GenerationProgress = Pick<
  RoomEventOf<'generation.progress'>,
  'metrics' | 'estimatedPercent' | 'estimatedOutputTokens' | 'stage'
>;

/** What is in events alone and in no snapshot: only who watched knows it. */
export interface Witnessed {
  /** The last one of each code. */
  readonly warnings: readonly Warning[];
  /** By their index; with holes where the first ones were not seen. */
  readonly objects: readonly (StructuredObject | undefined)[];
  /** How long blocks took, in ms by {@link blockKey}: thinking from its start to its end, a tool from its call to its result. */
  readonly durationsMs: ReadonlyMap<string, number>;
}

/** A generation that has not ended, with what it has written so far. */
export interface LiveGeneration extends GenerationHead, Witnessed {
  readonly content: readonly ContentBlock[];
  /** Null until this client saw a delta of it. */
  readonly pace: WritingPace | null;
  /** Null until this client was told. */
  readonly progress: GenerationProgress | null;
  /** When the blocks began whose duration is yet to be known, ISO 8601 UTC by {@link blockKey}. */
  readonly begunAt: ReadonlyMap<string, string>;
  /** With `render: "html"`: its blocks in their order. */
  readonly html?: readonly HtmlBlock[];
}

/** How a generation ended, for those who saw it. */
export interface EndedGeneration extends GenerationHead, Witnessed {
  /** With `render: "html"`: its blocks in their order. */
  readonly html?: readonly HtmlBlock[];
}

const nothingSeen = {
  warnings: [],
  objects: [],
  durationsMs: new Map<string, number>(),
  begunAt: new Map<string, string>(),
  pace: null,
  progress: null,
} satisfies Partial<LiveGeneration>;

/** A generation as a snapshot has it. Its text stays out: the content has it, and two copies would have to be kept equal. */
export function toLive(generation: Generation): LiveGeneration {
  const live: LiveGeneration & { text?: string } = { ...generation, ...nothingSeen };
  delete live.text;
  return live;
}

/** The generation with a new head, and all that is known of it beside. */
export function withHead(held: LiveGeneration | undefined, head: GenerationHead): LiveGeneration {
  return held ? { ...held, ...head } : { content: [], ...nothingSeen, ...head };
}

/** How it ended, with what was seen of it. */
export function toEnded(held: LiveGeneration | undefined, head: GenerationHead): EndedGeneration {
  const { warnings, objects, durationsMs } = held ?? nothingSeen;
  return { ...head, warnings, objects, durationsMs, ...(held?.html && { html: held.html }) };
}

/** It starts over: what it has written is forgotten. */
function startOver(live: LiveGeneration): LiveGeneration {
  const { warnings } = live;
  return { ...live, content: [], ...nothingSeen, warnings, ...(live.html && { html: [] }) };
}

/** What changes a generation while it runs, beside its head. */
export type LiveEvent =
  | RoomEventOf<'generation.chunk'>
  | RoomEventOf<'generation.html'>
  | RoomEventOf<'generation.tool_result'>
  | RoomEventOf<'generation.object'>
  | RoomEventOf<'generation.warning'>
  | RoomEventOf<'generation.progress'>
  | RoomEventOf<'generation.reset'>;

/** The generation after one more of its events. */
export function reduceLive(live: LiveGeneration, event: LiveEvent): LiveGeneration {
  switch (event.type) {
    case 'generation.chunk':
      return withChunk(live, event.chunk, event.at);
    case 'generation.html':
      return withHtml(live, event);
    case 'generation.tool_result':
      return withToolResult(live, event);
    case 'generation.object':
      return withObject(live, event);
    case 'generation.warning':
      return withWarning(live, event);
    case 'generation.progress':
      return withProgress(live, event);
    case 'generation.reset':
      return startOver(live);
  }
}

function withChunk(live: LiveGeneration, chunk: Chunk, at: string): LiveGeneration {
  const content = applyChunk(live.content, chunk);
  const timed = timeBlock(chunk.type === 'message_start' ? { ...live, ...noTimes } : live, chunk, at);
  if (content === live.content && timed === live) return live;
  const isFirst = live.content.every(isBlank);
  return { ...timed, content, pace: observe(live.pace, chunk, { at, isFirst }) };
}

function withToolResult(
  live: LiveGeneration,
  { toolUseId, output, isError, at }: RoomEventOf<'generation.tool_result'>,
): LiveGeneration {
  const result: ToolResultBlock = { type: 'tool_result', tool_use_id: toolUseId, content: output };
  if (isError) result.is_error = true;
  return { ...finish(live, toolUseId, at), content: [...live.content, result] };
}

function withHtml(
  live: LiveGeneration,
  { block, language, html, done }: RoomEventOf<'generation.html'>,
): LiveGeneration {
  const others = (live.html ?? []).filter((other) => other.block !== block);
  const blocks = [...others, { block, language, html, done }];
  return { ...live, html: blocks.sort((a, b) => a.block - b.block) };
}

function withObject(
  live: LiveGeneration,
  { index, value, complete }: RoomEventOf<'generation.object'>,
): LiveGeneration {
  const objects = [...live.objects];
  objects[index] = { value, complete };
  return { ...live, objects };
}

function withWarning(
  live: LiveGeneration,
  { code, message, at }: RoomEventOf<'generation.warning'>,
): LiveGeneration {
  const others = live.warnings.filter((warning) => warning.code !== code);
  return { ...live, warnings: [...others, { code, message, at }] };
}

function withProgress(
  live: LiveGeneration,
  { metrics, estimatedPercent, estimatedOutputTokens, stage }: RoomEventOf<'generation.progress'>,
): LiveGeneration {
  return { ...live, progress: { metrics, estimatedPercent, estimatedOutputTokens, stage } };
}

/**
 * What a block is called that takes its time: a tool call by its id, thinking by its place among the thinking, which
 * is the same in what was streamed and in what is stored. Null for all others.
 */
export function blockKey(content: readonly ContentBlock[], index: number): string | null {
  const block = content[index];
  if (block?.type === 'tool_use' || block?.type === 'server_tool_use') return block.id;
  if (block?.type !== 'thinking') return null;
  return `thinking ${content.slice(0, index).filter(({ type }) => type === 'thinking').length}`;
}

const noTimes = { durationsMs: nothingSeen.durationsMs, begunAt: nothingSeen.begunAt };

/** Thinking is timed while it is written, a tool from when its call is whole. */
function timeBlock(live: LiveGeneration, chunk: Chunk, at: string): LiveGeneration {
  if (chunk.type === 'content_block_start') {
    const { content_block: block } = chunk;
    // The provider's own tools answer in blocks of the stream.
    if ('tool_use_id' in block) return finish(live, block.tool_use_id, at);
    if (block.type !== 'thinking') return live;
    const key = blockKey([...live.content, block], live.content.length);
    return key === null ? live : begin(live, key, at);
  }
  if (chunk.type !== 'content_block_stop') return live;
  const index = indexOfBlock(live.content, chunk.index);
  const key = blockKey(live.content, index);
  if (key === null) return live;
  return live.content[index]?.type === 'thinking' ? finish(live, key, at) : begin(live, key, at);
}

/** Where the model's block of this number stands: results of tools stand between them and have none. */
function indexOfBlock(content: readonly ContentBlock[], number: number): number {
  let seen = -1;
  return content.findIndex(({ type }) => type !== 'tool_result' && ++seen === number);
}

const begin = (live: LiveGeneration, key: string, at: string): LiveGeneration => ({
  ...live,
  begunAt: new Map(live.begunAt).set(key, at),
});

function finish(live: LiveGeneration, key: string, at: string): LiveGeneration {
  const begunAt = live.begunAt.get(key);
  if (begunAt === undefined) return live;
  const tookMs = Math.max(0, Date.parse(at) - Date.parse(begunAt));
  return { ...live, durationsMs: new Map(live.durationsMs).set(key, tookMs) };
}

const isBlank = (block: ContentBlock): boolean =>
  (block.type === 'text' && block.text === '') || (block.type === 'thinking' && block.thinking === '');
