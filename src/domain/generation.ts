import type { ContentBlock } from './content.js';
import type { DocumentPhase } from './document-phase.js';
import type { ToolDefinition } from './tools.js';

export const generationStatuses = [
  'waiting',
  'queued',
  'running',
  'completed',
  'cancelled',
  'failed',
] as const;
export type GenerationStatus = (typeof generationStatuses)[number];

export type EndedStatus = Extract<GenerationStatus, 'completed' | 'cancelled' | 'failed'>;

export function hasEnded(status: GenerationStatus): status is EndedStatus {
  return status === 'completed' || status === 'cancelled' || status === 'failed';
}

export type GenerationErrorCode =
  | 'provider_error'
  | 'provider_overloaded'
  | 'provider_rate_limited'
  | 'provider_auth'
  | 'provider_refused'
  | 'timeout'
  | 'idle_timeout'
  | 'budget_exceeded'
  | 'worker_lost'
  | 'tool_failed'
  | 'schema_mismatch'
  | 'internal';

export interface GenerationError {
  code: GenerationErrorCode;
  message: string;
  provider: string | null;
  statusCode: number | null;
}

/** Why a generation was cancelled: its `stopReason`. */
export type CancelReason = 'cancelled' | 'interrupted' | 'unwatched';

export interface Usage {
  inputTokens: number;
  outputTokens: number;
  cacheReadInputTokens: number;
  cacheCreationInputTokens: number;
}

/** How the budget stood when a generation ended: of those that it counts for, the one with least left. */
export interface GenerationBudget {
  spentUsd: number;
  remainingUsd: number;
}

export interface GenerationMetrics {
  queuedMs: number | null;
  firstTokenMs: number | null;
  durationMs: number | null;
  chunks: number;
  characters: number;
  words: number;
  charactersPerSecond: number | null;
  tokensPerSecond: number | null;
}

/** What a request may set for its generation (contract §4). */
export interface GenerationOptions {
  model?: string;
  maxTokens?: number;
  temperature?: number;
  topP?: number;
  stopSequences?: string[];
  system?: string;
  thinking?:
    | { type: 'adaptive'; display?: 'omitted' }
    | { type: 'enabled'; budgetTokens: number; display?: 'omitted' };
  /** Names of tools that the worker runs, and tools that the client runs. */
  tools?: (string | ToolDefinition)[];
  /** JSON Schema that the answer has to match. */
  outputSchema?: Record<string, unknown>;
  /** The answer is JSON: one value, or several one after the other. */
  output?: 'json';
  /** An identical request within an hour is answered without the model. */
  cache?: boolean;
  timeoutMs?: number;
  idleTimeoutMs?: number;
  /** From the first call of the model to its first piece of content. */
  firstTokenTimeoutMs?: number;
  /** How text is joined before it is sent. */
  flush?: { by: 'time'; ms: number } | { by: 'size'; characters: number } | { by: 'sentence' };
  /** The worker renders the answer, see {@link HtmlBlock}. */
  render?: 'html';
  /** Of `maxTokens`: the run ends there, as if they were used up. */
  stopAtPercent?: number;
  onCrash?: 'continue' | 'restart';
  onUnwatched?: 'continue' | { cancelAfterMs: number };
  priority?: number;
}

/** A part of an answer as HTML, with `render: "html"`: a paragraph, a list, a table, a block of code. */
export interface HtmlBlock {
  /** Its place in the answer, from 0. */
  block: number;
  /** Of a block of code, where it names one. */
  language: string | null;
  html: string;
  /** Nothing of it changes any more. */
  done: boolean;
}

/** A generation without its text and content: what lists and most events carry. */
export interface GenerationHead {
  id: string;
  /** Null of a document's, whose prompt and position are null, too. */
  conversationId: string | null;
  documentId: string | null;
  sectionIndex: number | null;
  phase: DocumentPhase | null;
  status: GenerationStatus;
  /** Counts starts of the job, not retries inside one. */
  attempt: number;
  model: string;
  options: GenerationOptions;
  promptId: string | null;
  /** Of what it writes: an answer's message, or a section's or phase's text, which keeps it over all its runs. */
  messageId: string;
  position: number | null;
  stopReason: string | null;
  stopSequence: string | null;
  usage: Usage | null;
  costUsd: number | null;
  /** Null: it has not ended, or nothing limits what it may cost. */
  budget: GenerationBudget | null;
  metrics: GenerationMetrics;
  provider: string;
  requestId: string | null;
  providerMessageId: string | null;
  rateLimits: Record<string, string> | null;
  streamed: boolean | null;
  cached: boolean;
  error: GenerationError | null;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
}

export interface Generation extends GenerationHead {
  text: string;
  content: ContentBlock[];
  /** In snapshots alone, with `render: "html"`: the blocks so far, in their order. */
  html?: HtmlBlock[];
}
