import type { ReactNode } from 'react';
import type { Budget } from '../../../src/client/index.js';
import type { UsageReport } from '../../../src/client/index.js';
import { BudgetBar } from '../budget/budget-bar.js';
import { shortTokens, sumUsd } from '../lib/format.js';
import { allTokens, changeWords, readTokens } from './figures.js';

/** The figures that most people come for. */
export function UsageCards({ report, budget }: { report: UsageReport; budget: Budget | null }) {
  const { totals, days } = report;
  const read = readTokens(totals);
  const cachedPercent = read === 0 ? 0 : Math.round((100 * totals.cacheReadInputTokens) / read);
  return (
    <dl className="usage-cards">
      <Card name="Today" figure={sumUsd(budget?.spentUsd ?? 0)} beside={budget && budgetWords(budget)}>
        {budget && <BudgetBar budget={budget} />}
      </Card>
      <Card name={`${days.length} days`} figure={sumUsd(totals.costUsd)}>
        {changeWords(report) ?? 'nothing in the days before'}
      </Card>
      <Card name="Tokens" figure={shortTokens(allTokens(totals))}>
        {shortTokens(read)} in, {shortTokens(totals.outputTokens)} out
      </Card>
      <Card name="Read from cache" figure={`${cachedPercent} %`}>
        of input, saved {sumUsd(Math.max(0, totals.cacheSavedUsd))}
      </Card>
    </dl>
  );
}

function budgetWords({ limitUsd, reservedUsd }: Budget): string {
  const limit = limitUsd === null ? '' : `of ${sumUsd(limitUsd)}`;
  const reserved = reservedUsd > 0 ? `${sumUsd(reservedUsd)} reserved` : '';
  return [limit, reserved].filter(Boolean).join(', ');
}

interface CardProps {
  name: string;
  figure: string;
  beside?: string | null;
  children: ReactNode;
}

function Card({ name, figure, beside, children }: CardProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <b>{figure}</b> {beside}
        <div className="card-note">{children}</div>
      </dd>
    </div>
  );
}
