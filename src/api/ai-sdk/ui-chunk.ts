import type { UIMessageChunk } from 'ai';
import type {
  GenerationError,
  GenerationHead,
  GenerationMetrics,
  GenerationStatus,
  HtmlBlock,
  Usage,
} from '../../domain/generation.js';
import type { WarningCode } from '../../wire/room-events.js';

/** `message.metadata` of an answer: the first four from its start, the others when it has ended. */
export interface UiMetadata {
  generationId: string;
  conversationId: string | null;
  model: string;
  createdAt: string;
  status?: GenerationStatus;
  stopReason?: string | null;
  usage?: Usage | null;
  costUsd?: number | null;
  cached?: boolean;
  metrics?: GenerationMetrics;
  error?: GenerationError | null;
}

/** The data parts of an answer, by what stands behind `data-` in their type. */
export type UiData = {
  /** Transient. */
  status: { status: GenerationStatus; attempt: number };
  /** Transient. */
  progress: {
    metrics: GenerationMetrics;
    estimatedPercent: number;
    estimatedOutputTokens: number;
    stage: string | null;
  };
  warning: { code: WarningCode; message: string };
  object: { index: number; value: unknown; complete: boolean };
  html: HtmlBlock;
  /** What stands before it is to be forgotten. */
  reset: { reason: string };
};

/** One chunk of the UI message stream, v1 (https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol). */
export type UiChunk = UIMessageChunk<UiMetadata, UiData>;

export const beginOf = ({ id, conversationId, model, createdAt }: GenerationHead): UiMetadata => ({
  generationId: id,
  conversationId,
  model,
  createdAt,
});

export const endOf = (generation: GenerationHead): UiMetadata => ({
  ...beginOf(generation),
  status: generation.status,
  stopReason: generation.stopReason,
  usage: generation.usage,
  costUsd: generation.costUsd,
  cached: generation.cached,
  metrics: generation.metrics,
  error: generation.error,
});
