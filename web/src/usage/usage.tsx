import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useEffect, useState } from 'react';
import { TokencastError } from '../../../src/client/index.js';
import type { UsageReport } from '../../../src/client/index.js';
import { useBudget } from '../budget/use-budget.js';
import { download } from '../lib/download.js';
import { RoomHeader } from '../room/room-header.js';
import { http } from '../services.js';
import { Icon } from '../ui/icon.js';
import { Segmented } from '../ui/segmented.js';
import { barsOf, csvOf, measureOf, shadesOf } from './figures.js';
import { UsageCards } from './usage-cards.js';
import { UsageChart } from './usage-chart.js';
import { ConversationTable, DayTable, ModelTable } from './usage-tables.js';
import './usage.css';

const ranges = [7, 30, 90] as const;
type Days = `${(typeof ranges)[number]}`;

const dayMs = 86_400_000;
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** What one's own answers have cost, by day, model and conversation. */
export default function Usage() {
  const [days, setDays] = useState<Days>('30');
  const budget = useBudget();
  useEffect(() => {
    document.title = 'Usage · tokencast';
  }, []);
  const { data, error, refetch } = useQuery({
    // What is spent changes the report.
    queryKey: ['usage', days, budget?.spentUsd],
    queryFn: ({ signal }) => {
      const now = Date.now();
      const from = dayOf(now - (Number(days) - 1) * dayMs);
      return http.getUsage({ from, to: dayOf(now) }, { signal });
    },
    placeholderData: keepPreviousData,
  });
  return (
    <section className="room usage" aria-label="Usage">
      <RoomHeader title="Usage">
        <Segmented
          label="Days"
          name="days"
          options={ranges.map((range): { value: Days; label: string } => ({
            value: `${range}`,
            label: `${range} days`,
          }))}
          value={days}
          onChange={setDays}
        />
        <button
          type="button"
          className="quiet-button"
          disabled={!data}
          onClick={() => {
            if (data) download(`usage-${data.from}-${data.to}.csv`, csvOf(data), 'text/csv');
          }}
        >
          <Icon of={Download} size={14} />
          CSV
        </button>
      </RoomHeader>
      <div className="usage-scroll" tabIndex={0} role="group" aria-label="Figures">
        {error && !data ? (
          <p className="problem usage-problem" role="alert">
            {error instanceof TokencastError ? error.detail : 'The figures could not be had.'}{' '}
            <button type="button" className="text-button" onClick={() => void refetch()}>
              Try again
            </button>
          </p>
        ) : (
          data && <Report report={data} />
        )}
      </div>
    </section>
  );
}

function Report({ report }: { report: UsageReport }) {
  const budget = useBudget();
  const measure = measureOf(report);
  const bars = barsOf(report, measure);
  const shades = shadesOf(report);
  const [asTable, setAsTable] = useState(false);
  const isCost = measure.name === 'Cost';
  const reserved = isCost ? (budget?.reservedUsd ?? 0) : 0;
  return (
    <div className="usage-column">
      <UsageCards report={report} budget={budget} />
      <section>
        <header className="chart-head">
          <h2>{measure.name} per day</h2>
          <button
            type="button"
            className="text-button table-button"
            aria-expanded={asTable}
            onClick={() => {
              setAsTable(!asTable);
            }}
          >
            as a table
          </button>
          <ul className="legend">
            {shades.map((name, shade) => (
              <li key={name}>
                <i className={`swatch shade-${shade}`} />
                {name}
              </li>
            ))}
            {reserved > 0 && (
              <li>
                <i className="swatch reserved-swatch" />
                reserved
              </li>
            )}
          </ul>
        </header>
        {report.totals.generations === 0 && reserved === 0 ? (
          <p className="usage-empty">Nothing was asked in these {report.days.length} days.</p>
        ) : (
          <>
            <UsageChart
              bars={bars}
              measure={measure}
              reserved={reserved}
              limit={isCost ? (budget?.limitUsd ?? null) : null}
            />
            {asTable && <DayTable bars={bars} shades={shades} measure={measure} />}
          </>
        )}
      </section>
      {report.totals.generations > 0 && (
        <div className="usage-tables">
          <ModelTable report={report} />
          <ConversationTable report={report} />
        </div>
      )}
    </div>
  );
}
