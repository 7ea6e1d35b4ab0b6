import { z } from 'zod';

/** Longest range of a report, in days. */
const maxUsageDays = 366;

const dayMs = 86_400_000;

const day = z.iso.date().refine((value) => value >= '2000-01-01' && value < '2200-01-01', 'is out of range');

/** A range of days (UTC, `YYYY-MM-DD`), both ends included: by default the last 30. */
export const usageQuery = z
  .object({ from: day.optional(), to: day.optional() })
  .transform(({ from, to }) => {
    const last = to ?? dayOf(Date.now());
    return { from: from ?? dayOf(Date.parse(last) - 29 * dayMs), to: last };
  })
  .refine(({ from, to }) => from <= to, { error: 'must not be after "to"', path: ['from'] })
  .refine(({ from, to }) => daysIn({ from, to }) <= maxUsageDays, {
    error: `must be at most ${maxUsageDays} days before "to"`,
    path: ['from'],
  });

export interface DayRange {
  from: string;
  to: string;
}

/** How many days a range has. */
const daysIn = ({ from, to }: DayRange): number => (Date.parse(to) - Date.parse(from)) / dayMs + 1;

/** The equally long range before this one. */
export const rangeBefore = (range: DayRange): DayRange => ({
  from: dayOf(Date.parse(range.from) - daysIn(range) * dayMs),
  to: dayOf(Date.parse(range.from) - dayMs),
});

/** The day that follows. */
export const dayAfter = (day: string): string => dayOf(Date.parse(day) + dayMs);

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** What generations used together; each counts for the day (UTC) of its acceptance once it has ended. */
export interface UsageFigures {
  /** Generations that were started. */
  generations: number;
  /** Read at full price: without what came from the provider's cache or went to it. */
  inputTokens: number;
  outputTokens: number;
  cacheReadInputTokens: number;
  cacheCreationInputTokens: number;
  costUsd: number;
  /** What the provider's cache has saved, less what writing to it cost more. */
  cacheSavedUsd: number;
  /** Time from the start to the first token: the median, and what 95 % stayed under. Null: there was none. */
  firstTokenMs: { p50: number | null; p95: number | null };
}

export interface ModelUsage extends UsageFigures {
  model: string;
}

export interface DayUsage extends UsageFigures {
  /** `YYYY-MM-DD`, UTC. */
  day: string;
  /** The dearest first. */
  models: ModelUsage[];
}

/** What was used in a conversation, or by the analysis of a document. Both null: in all that have been deleted. */
export interface ConversationUsage extends UsageFigures {
  conversationId: string | null;
  documentId: string | null;
  /** The document's is its name. Null: there is none, or the caller may not read it any more. */
  title: string | null;
}

/** What the caller's own generations have used. */
export interface UsageReport extends DayRange {
  totals: UsageFigures;
  /** The totals of the equally long range before. */
  previous: UsageFigures;
  /** Every day of the range, the first first. */
  days: DayUsage[];
  /** The dearest first. */
  models: ModelUsage[];
  /** Conversations and documents, the dearest first, at most {@link maxUsageConversations}. */
  conversations: ConversationUsage[];
}

export const maxUsageConversations = 100;
