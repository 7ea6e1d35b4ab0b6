import { CircleAlert, RotateCcw } from 'lucide-react';
import { memo, useMemo, type KeyboardEvent } from 'react';
import { hasContent, type ContentBlock, type LiveRun, type Section } from '../../../src/client/index.js';
import { seconds } from '../lib/format.js';
import { ContentView } from '../room/content-view.js';
import { Icon } from '../ui/icon.js';
import { sectionId } from './ids.js';

interface SectionRowProps {
  section: Section;
  /** The run that writes it, or waits to. */
  run: LiveRun | null;
  selected: boolean;
  /** How long it took; null: not seen. */
  tookMs: number | null;
  mayRetry: boolean;
  retrying: boolean;
  /** Whether the rest of the document is being analysed. */
  goesOn: boolean;
  /** The connection is away: what is written is not seen. */
  held: boolean;
  onSelect: (index: number) => void;
  onRetry: (index: number) => void;
}

const titleClass = 'section-title';

/** A section as a numbered node on the line, with what is written about it. */
export const SectionRow = memo(function SectionRow(props: SectionRowProps) {
  const { section, run, selected, tookMs, mayRetry, retrying, goesOn, held, onSelect, onRetry } = props;
  const { index, title, status, text, error } = section;
  const isWriting = status === 'running';
  const content = useMemo((): readonly ContentBlock[] => {
    if (isWriting && run && hasContent(run.content)) return run.content;
    return text === '' ? [] : [{ type: 'text', text }];
  }, [isWriting, run, text]);
  const hasWords = content.length > 0;
  return (
    <li
      id={sectionId(index)}
      className="section-row"
      data-testid="section"
      data-status={status}
      data-selected={selected}
      onClick={() => {
        onSelect(index);
      }}
    >
      <span className="node" aria-hidden>
        {index + 1}
      </span>
      <div className="section-head">
        <h2>
          <button
            type="button"
            className={titleClass}
            aria-pressed={selected}
            aria-label={`Section ${index + 1}: ${title}, ${statusWords[status]}`}
          >
            {title}
          </button>
        </h2>
        <SectionNote status={status} hasWords={hasWords} held={held} tookMs={tookMs} />
        {(status === 'failed' || status === 'cancelled') && (
          <button
            type="button"
            className="button small"
            disabled={!mayRetry || retrying}
            aria-label={`Retry section ${index + 1}`}
            onClick={(event) => {
              event.stopPropagation();
              onRetry(index);
            }}
          >
            <Icon of={RotateCcw} size={14} />
            Retry section
          </button>
        )}
      </div>
      {hasWords && <ContentView content={content} writing={isWriting && !held} seen={null} />}
      {status === 'failed' && (
        <p className="section-fault">
          <Icon of={CircleAlert} size={14} />
          <span>
            {error?.message ?? 'It could not be analysed.'}
            {goesOn && ' The other sections go on.'}
          </span>
        </p>
      )}
    </li>
  );
});

const statusWords: Record<Section['status'], string> = {
  pending: 'waiting',
  running: 'being written',
  done: 'done',
  cancelled: 'stopped',
  failed: 'failed',
};

interface SectionNoteProps {
  status: Section['status'];
  hasWords: boolean;
  held: boolean;
  tookMs: number | null;
}

/** What is to be said of a section beside its title. */
function SectionNote({ status, hasWords, held, tookMs }: SectionNoteProps) {
  switch (status) {
    case 'running':
      return <span className="section-note live">{held ? 'held' : hasWords ? 'writing' : 'reading'}</span>;
    case 'done':
      return tookMs === null ? null : <span className="section-note">{seconds(tookMs)}</span>;
    case 'cancelled':
      return <span className="section-note">{hasWords ? 'stopped, text kept' : 'stopped'}</span>;
    default:
      return null;
  }
}

/** The arrows go from title to title, and what they come to is selected. */
export function moveAmongTitles(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const titles = [...event.currentTarget.querySelectorAll<HTMLButtonElement>(`.${titleClass}`)];
  const at = titles.findIndex((title) => title === event.target);
  if (at < 0) return;
  event.preventDefault();
  const next = titles[at + (event.key === 'ArrowDown' ? 1 : -1)];
  next?.focus();
  next?.click();
}
