import { z } from 'zod';
import { providerNames, type Model } from '../../domain/models.js';
import type { BudgetView } from '../budget.js';
import type { UsageReport } from '../usage.js';
import { id } from './common.js';
import { user } from './conversation.js';
import { tokenUsage } from './generation.js';

/** What is answered about a caller's money and models. */

const usd = z.number();

export const budget = z.object({
  spentUsd: usd,
  reservedUsd: usd.describe('Held for answers that are not there yet.'),
  limitUsd: usd.nullable().describe('Null: nothing limits it.'),
}) satisfies z.ZodType<BudgetView>;

export const me = z.object({ user, budget });

export const model = z.object({
  id: z.string(),
  provider: z.enum(providerNames),
  contextTokens: z.int(),
  maxOutputTokens: z.int(),
  pricing: z
    .object({
      inputUsdPerMTok: usd,
      outputUsdPerMTok: usd,
      cacheReadUsdPerMTok: usd,
      cacheWriteUsdPerMTok: usd,
    })
    .nullable(),
  abilities: z.object({ thinking: z.boolean(), tools: z.boolean(), prefill: z.boolean() }),
}) satisfies z.ZodType<Model>;

const figures = z.object({
  generations: z.int().min(0),
  ...tokenUsage.shape,
  costUsd: usd,
  cacheSavedUsd: usd,
  firstTokenMs: z.object({ p50: z.number().nullable(), p95: z.number().nullable() }),
});
const day = z.iso.date();
const modelUsage = z.object({ model: z.string(), ...figures.shape });

export const usageReport = z.object({
  from: day,
  to: day,
  totals: figures,
  previous: figures.describe('Of the equally long range before.'),
  days: z.array(z.object({ day, ...figures.shape, models: z.array(modelUsage) })),
  models: z.array(modelUsage).describe('The dearest first.'),
  conversations: z.array(
    z.object({
      conversationId: id.nullable(),
      documentId: id.nullable(),
      title: z.string().nullable(),
      ...figures.shape,
    }),
  ),
}) satisfies z.ZodType<UsageReport>;
