import type { Budget } from '../../../src/client/index.js';

/** Of the limit: spent in ink, reserved in green dashes, the rest plain. The figures stand beside it. */
export function BudgetBar({ budget: { spentUsd, reservedUsd, limitUsd } }: { budget: Budget }) {
  if (limitUsd === null || limitUsd === 0) return null;
  const share = (part: number) => Math.min(100, (100 * part) / limitUsd);
  const spent = share(spentUsd);
  return (
    <div className="budget-bar" aria-hidden>
      <i className="budget-spent" style={{ width: `${spent}%` }} />
      <i
        className="budget-reserved"
        style={{ left: `${spent}%`, width: `${share(spentUsd + reservedUsd) - spent}%` }}
      />
    </div>
  );
}
