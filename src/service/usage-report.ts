import { toUsd } from '../domain/cost.js';
import type { Executor } from '../store/database.js';
import { findTitles, selectLedgerSums, type LedgerSums } from '../store/ledger.js';
import {
  dayAfter,
  maxUsageConversations,
  rangeBefore,
  type DayRange,
  type DayUsage,
  type UsageFigures,
  type UsageReport,
} from '../wire/usage.js';

/** The values of `grouping` in {@link LedgerSums}: a bit is set for what a row is the sum over. */
const groups = { total: 0b111, day: 0b011, model: 0b101, dayAndModel: 0b001, conversation: 0b110 } as const;

/** What the user's own generations have used in a range of days. */
export async function reportUsage(db: Executor, userId: string, range: DayRange): Promise<UsageReport> {
  const before = rangeBefore(range);
  const [sums, earlier] = await Promise.all([
    selectLedgerSums(db, userId, range.from, range.to),
    selectLedgerSums(db, userId, before.from, before.to),
  ]);
  const of = (group: number) =>
    sums
      .filter(({ grouping }) => grouping === group)
      .sort((a, b) => b.costNano - a.costNano || b.generations - a.generations);
  const totalOf = (rows: readonly LedgerSums[]) =>
    figuresOf(rows.find(({ grouping }) => grouping === groups.total));
  const conversations = of(groups.conversation).slice(0, maxUsageConversations);
  const titles = await findTitles(db, userId, {
    conversationIds: conversations.flatMap(({ conversationId }) => conversationId ?? []),
    documentIds: conversations.flatMap(({ documentId }) => documentId ?? []),
  });
  return {
    ...range,
    totals: totalOf(sums),
    previous: totalOf(earlier),
    days: daysOf(range, of(groups.day), of(groups.dayAndModel)),
    models: of(groups.model).map((row) => ({ model: row.model ?? '', ...figuresOf(row) })),
    conversations: conversations.map((row) => ({
      conversationId: row.conversationId,
      documentId: row.documentId,
      title: titles.get(row.conversationId ?? row.documentId ?? '') ?? null,
      ...figuresOf(row),
    })),
  };
}

function daysOf(
  { from, to }: DayRange,
  byDay: readonly LedgerSums[],
  byDayAndModel: readonly LedgerSums[],
): DayUsage[] {
  const days: DayUsage[] = [];
  for (let day = from; day <= to; day = dayAfter(day))
    days.push({
      day,
      ...figuresOf(byDay.find((row) => row.day === day)),
      models: byDayAndModel
        .filter((row) => row.day === day)
        .map((row) => ({ model: row.model ?? '', ...figuresOf(row) })),
    });
  return days;
}

function figuresOf(row: LedgerSums | undefined): UsageFigures {
  return {
    generations: row?.generations ?? 0,
    inputTokens: row?.inputTokens ?? 0,
    outputTokens: row?.outputTokens ?? 0,
    cacheReadInputTokens: row?.cacheReadInputTokens ?? 0,
    cacheCreationInputTokens: row?.cacheCreationInputTokens ?? 0,
    costUsd: toUsd(row?.costNano ?? 0),
    cacheSavedUsd: toUsd(row?.cacheSavedNano ?? 0),
    firstTokenMs: { p50: row?.firstTokenMsP50 ?? null, p95: row?.firstTokenMsP95 ?? null },
  };
}
