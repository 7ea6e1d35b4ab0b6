import type { ContentBlock, ToolResultBlock } from '../../domain/content.js';
import type { GenerationHead, GenerationOptions } from '../../domain/generation.js';
import type { GenerationEvent } from '../../wire/stream-dialect.js';
import { isShown, type ShownPart } from '../telling/told.js';
import { shownParts, wayTo } from '../telling/way-to.js';
import type { ClientTools } from './part-chunks.js';
import {
  closeBlock,
  endStep,
  failCalls,
  nothingTold,
  tellPart,
  tellParts,
  type UiTold,
} from './told-parts.js';
import { beginOf, endOf, type UiChunk } from './ui-chunk.js';

/** A generation whose calls the client has answered: the answer goes on in the same message. */
export interface EarlierPart {
  content: readonly ContentBlock[];
  options: GenerationOptions;
  /** What the client has answered. */
  results: readonly ToolResultBlock[];
}

/** How far an answer has been told. */
export interface UiState {
  /** The client's id of the message. */
  messageId: string;
  /** To be told first, to a client that does not have it. */
  earlier: readonly EarlierPart[];
  begun: boolean;
  over: boolean;
  clientTools: ClientTools;
  told: UiTold;
  /** All that there is of the answer, while what was told goes beyond it: nothing is told until it has caught up. */
  goal: readonly ShownPart[] | undefined;
  /** The log has told all of the answer. */
  complete: boolean;
}

type Say = (...chunks: readonly UiChunk[]) => void;

export const startTelling = (messageId: string, earlier: readonly EarlierPart[]): UiState => ({
  messageId,
  earlier,
  begun: false,
  over: false,
  clientTools: new Set(),
  told: nothingTold,
  goal: undefined,
  complete: false,
});

/**
 * What an event of a generation's stream says in the words of the UI message stream.
 *
 * Invariants:
 * - What was told behind the last `data-reset` is a beginning of the answer; a stream that begins tells all of it.
 * - An answer that starts over is told on from where it gets beyond what was told. Only where it is another one there is
 *   a `data-reset`, since the protocol cannot take anything back.
 * - `finish`, `abort` or `error` come when the end is stored, and one of them once.
 */
export function tellEvent(state: UiState, event: GenerationEvent): { state: UiState; chunks: UiChunk[] } {
  const chunks: UiChunk[] = [];
  const say: Say = (...more) => {
    chunks.push(...more);
  };
  return { state: state.over ? state : take(state, event, say), chunks };
}

function take(state: UiState, event: GenerationEvent, say: Say): UiState {
  switch (event.type) {
    case 'snapshot': {
      const { generation } = event.snapshot;
      const begun = begin(state, generation, say);
      const reached = reach(begun, shownParts(generation.content, { isWhole: false }), say);
      for (const block of generation.html ?? [])
        say({ type: 'data-html', id: `html-${block.block}`, data: block });
      return reached;
    }
    case 'generation.chunk':
      if (isShown(event.chunk)) return add(state, event.chunk, say);
      if (event.chunk.type === 'message_start') return { ...state, goal: [], complete: false };
      return { ...state, complete: true };
    case 'generation.tool_result': {
      const { toolUseId: tool_use_id, output: content, isError: is_error } = event;
      return add(state, { type: 'tool_result', tool_use_id, content, is_error }, say);
    }
    case 'generation.reset':
      return { ...state, goal: [], complete: false };
    case 'generation.waiting':
    case 'generation.queued':
    case 'generation.started': {
      const { status, attempt } = event.generation;
      say({ type: 'data-status', data: { status, attempt }, transient: true });
      return state;
    }
    case 'generation.progress': {
      const { metrics, estimatedPercent, estimatedOutputTokens, stage } = event;
      const data = { metrics, estimatedPercent, estimatedOutputTokens, stage };
      say({ type: 'data-progress', data, transient: true });
      return state;
    }
    case 'generation.warning': {
      const { code, message } = event;
      say({ type: 'data-warning', id: code, data: { code, message } });
      return state;
    }
    case 'generation.object': {
      const { index, value, complete } = event;
      say({ type: 'data-object', id: `object-${index}`, data: { index, value, complete } });
      return state;
    }
    case 'generation.html': {
      const { block, language, html, done } = event;
      say({ type: 'data-html', id: `html-${block}`, data: { block, language, html, done } });
      return state;
    }
    case 'generation.completed':
    case 'generation.cancelled':
    case 'generation.failed': {
      const { generation, message } = event;
      const isTold = state.complete && !state.goal;
      const whole =
        message && !isTold ? reach(state, shownParts(message.content, { isWhole: true }), say, true) : state;
      end(whole, generation, say);
      return { ...whole, over: true };
    }
    case 'member.left':
    case 'conversation.deleted':
      say({ type: 'error', errorText: 'The conversation may no longer be read.' });
      return { ...state, over: true };
    default:
      return state;
  }
}

/** The beginning of the message, with what its client has still to be told of it. */
function begin(state: UiState, generation: GenerationHead, say: Say): UiState {
  if (state.begun) return state;
  const { messageId, earlier } = state;
  say({ type: 'start', messageId, messageMetadata: beginOf(generation) });
  for (const { content, options, results } of earlier) {
    const tools = clientToolsOf(options);
    const parts = [...shownParts(content, { isWhole: true }), ...closedBy(content), ...results];
    const { told, chunks } = tellParts(nothingTold, parts, tools);
    say(...chunks, ...endStep(told));
  }
  return { ...state, begun: true, clientTools: clientToolsOf(generation.options) };
}

/** A part of the log. */
function add(state: UiState, part: ShownPart, say: Say): UiState {
  if (state.goal) return reach({ ...state, goal: undefined }, [...state.goal, part], say);
  const { told, chunks } = tellPart(state.told, part, state.clientTools);
  say(...chunks);
  return { ...state, told };
}

/** Tells what leads to all of these parts, as soon as they are more than was told. `atEnd`: no more will come. */
function reach(state: UiState, parts: readonly ShownPart[], say: Say, atEnd = false): UiState {
  const { clientTools } = state;
  const way = wayTo(state.told, parts);
  if (way === 'behind' && !atEnd) return { ...state, goal: parts };
  if (typeof way === 'object') {
    const { told, chunks } = tellParts(way.told, way.missing, clientTools);
    say(...chunks);
    return { ...state, told, goal: undefined };
  }
  const closed = closeBlock(state.told, clientTools);
  say(...closed.chunks, ...endStep(closed.told), {
    type: 'data-reset',
    data: { reason: 'The answer starts over.' },
  });
  const { told, chunks } = tellParts(nothingTold, parts, clientTools);
  say(...chunks);
  return { ...state, told, goal: undefined };
}

function end({ told, clientTools }: UiState, generation: GenerationHead, say: Say): void {
  const closed = closeBlock(told, clientTools);
  say(...closed.chunks);
  const messageMetadata = endOf(generation);
  if (generation.status === 'completed') {
    const finishReason = finishReasons[generation.stopReason ?? ''] ?? 'other';
    say(...endStep(closed.told), { type: 'finish', finishReason, messageMetadata });
    return;
  }
  const isCancelled = generation.status === 'cancelled';
  const errorText = isCancelled
    ? 'The answer was stopped.'
    : (generation.error?.message ?? 'The answer has failed.');
  say(...failCalls(closed.told, clientTools, errorText), ...endStep(closed.told));
  say({ type: 'message-metadata', messageMetadata });
  say(
    isCancelled
      ? { type: 'abort', reason: generation.stopReason ?? 'cancelled' }
      : { type: 'error', errorText },
  );
}

/** The last text of content is left open by its parts. */
const closedBy = (content: readonly ContentBlock[]): ShownPart[] => {
  const index = content.filter(({ type }) => type !== 'tool_result').length - 1;
  return content.at(-1)?.type === 'text' ? [{ type: 'content_block_stop', index }] : [];
};

/** Tools that a request describes are run by its client, those that it names by the worker. */
const clientToolsOf = ({ tools = [] }: GenerationOptions): ClientTools =>
  new Set(tools.flatMap((tool) => (typeof tool === 'string' ? [] : [tool.name])));

type FinishReason = NonNullable<Extract<UiChunk, { type: 'finish' }>['finishReason']>;

const finishReasons: Partial<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  refusal: 'content-filter',
  tool_use: 'tool-calls',
};
