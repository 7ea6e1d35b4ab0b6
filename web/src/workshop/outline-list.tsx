import type { OutlineEntry } from '../highlight/outline.js';
import { entryKey } from './use-written-at.js';

interface OutlineListProps {
  entries: readonly OutlineEntry[];
  /** When they were begun, in ms after the start of the answer, by {@link entryKey}. */
  writtenAt: ReadonlyMap<string, number>;
  /** Whether the last one is being written. */
  writing: boolean;
  onPick: (line: number) => void;
}

/** What the code defines, as it is written. */
export function OutlineList({ entries, writtenAt, writing, onPick }: OutlineListProps) {
  return (
    <aside className="outline" aria-label="Outline">
      <header className="pane-header">
        <h2>Outline</h2>
        <span className="pane-note">{writing ? 'as it is written' : 'as it was written'}</span>
      </header>
      {entries.length === 0 ? (
        <p className="outline-empty">Nothing to list yet.</p>
      ) : (
        <ol>
          {entries.map((entry, index) => {
            const isLive = writing && index === entries.length - 1;
            const at = writtenAt.get(entryKey(entry));
            return (
              <li key={entryKey(entry)} data-live={isLive} data-depth={Math.min(entry.depth, 3)}>
                <button
                  type="button"
                  onClick={() => {
                    onPick(entry.line);
                  }}
                >
                  <span className="machine">{entry.label}</span>
                  <span className="outline-note">
                    line {entry.line}
                    {isLive ? ', writing' : at === undefined ? '' : `, ${(at / 1000).toFixed(1)} s`}
                  </span>
                </button>
              </li>
            );
          })}
        </ol>
      )}
    </aside>
  );
}
