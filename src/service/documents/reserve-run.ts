import type { DocumentPhase } from '../../domain/document-phase.js';
import { phaseSchema } from '../../domain/document-phases.js';
import type { GenerationOptions } from '../../domain/generation.js';
import { modelInfo } from '../../domain/models.js';
import { tokensOfBytes } from '../../domain/tokens.js';
import { sizeOfAnalyses, type DocumentRow, type StepRow } from '../../store/documents.js';
import { writeTogether } from '../../store/write-together.js';
import { reservationWrites, reserveFirstCall } from '../reserve.js';
import type { ServiceContext } from '../service-context.js';
import type { Work } from '../work.js';

/** Longest analysis of a section, in tokens, unless the request says otherwise: some 120 words are asked for. */
const sectionTokens = 1024;
/** What a request has beside the text: instructions, titles, tags. */
const framingTokens = 2000;
/** The text is sent as JSON, with its lines escaped. */
const escaping = 1.15;

/**
 * Reserves the first call of a section's or phase's run. All that it may write, or nothing: half an object is worth
 * nothing, and half an analysis not much.
 *
 * @throws AppError budget_exceeded
 */
export async function reserveRun(
  context: ServiceContext,
  work: Work,
  { id, userId, model, options }: DocumentRow,
  { phase, tokens }: Pick<StepRow, 'phase' | 'tokens'>,
) {
  const { contextTokens, maxOutputTokens } = modelInfo(model);
  const { thinking } = options;
  const thinkingTokens = thinking?.type === 'enabled' ? thinking.budgetTokens : 0;
  const usual = thinkingTokens + (phase === null ? sectionTokens : context.limits.defaultMaxTokens);
  const maxTokens = Math.min(options.maxTokens ?? usual, maxOutputTokens);
  const payer = { userId, conversationId: null };
  const reserved = await reserveFirstCall(context, work, payer, {
    model,
    options: runOptions({ ...options, maxTokens }, phase),
    inputTokens: async () => {
      const text = phase === null ? tokens : tokensOfBytes(await sizeOfAnalyses(work.tx, id));
      return Math.min(Math.ceil(text * escaping) + framingTokens, contextTokens);
    },
    maxTokens,
    leastTokens: maxTokens,
  });
  await writeTogether(work.tx, reservationWrites(payer, reserved));
  return reserved;
}

/** Half an object cannot be gone on with. */
const runOptions = (options: GenerationOptions, phase: DocumentPhase | null): GenerationOptions =>
  phase !== null && phaseSchema(phase) ? { ...options, onCrash: 'restart' } : options;
