import './skeleton.css';

/** The bars of one row, each as wide as it says. */
type Row = readonly string[];

/** Where rows of text are to be: in grey, and only after 200 ms. */
export function Skeleton({ of, rows }: { of: 'log' | 'list' | 'document'; rows: readonly Row[] }) {
  return (
    <div className="skeleton" data-of={of} aria-hidden>
      {rows.map((bars, row) => (
        <div key={row} className="skeleton-row">
          {bars.map((width, bar) => (
            <i key={bar} style={{ width }} />
          ))}
        </div>
      ))}
    </div>
  );
}
