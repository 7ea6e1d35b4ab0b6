import { useQuery } from '@tanstack/react-query';
import { ChevronDown, ChevronUp } from 'lucide-react';
import { lazy, memo, Suspense, useLayoutEffect, useRef } from 'react';
import { TokencastError, type Document } from '../../../src/client/index.js';
import { http } from '../services.js';
import { Icon } from '../ui/icon.js';
import { unwrap } from './unwrap.js';

const Markdown = lazy(() => import('../markdown/markdown.js').then((made) => ({ default: made.Markdown })));

interface SourcePaneProps {
  document: Document;
  /** The section that is looked at: marked, between the one before and the one after. */
  index: number;
  onSelect: (index: number) => void;
}

/** What the sections were made from. */
export function SourcePane({ document, index, onSelect }: SourcePaneProps) {
  const { id, sections, mediaType } = document;
  const scroller = useRef<HTMLDivElement>(null);
  const before = useSource(id, index - 1, sections.length);
  const marked = useSource(id, index, sections.length);
  const after = useSource(id, index + 1, sections.length);

  // Once the one before stands, nothing that comes later moves the marked one.
  const isPlaced = before.state !== 'loading' && marked.state !== 'loading';
  useLayoutEffect(() => {
    const { current } = scroller;
    const at = current?.querySelector<HTMLElement>('[data-marked="true"]');
    if (current && at && isPlaced) current.scrollTop = Math.max(0, at.offsetTop - current.offsetTop - lead);
  }, [index, isPlaced]);

  const parts = [
    { at: index - 1, source: before },
    { at: index, source: marked },
    { at: index + 1, source: after },
  ];
  return (
    <aside className="source-pane" aria-label="Source">
      <header className="pane-header">
        <h2>Source</h2>
        <span className="source-note">section {index + 1}</span>
        <StepButton
          icon={ChevronUp}
          label="Section before"
          to={index - 1}
          total={sections.length}
          onSelect={onSelect}
        />
        <StepButton
          icon={ChevronDown}
          label="Section after"
          to={index + 1}
          total={sections.length}
          onSelect={onSelect}
        />
      </header>
      <div
        className="source-scroll"
        ref={scroller}
        tabIndex={0}
        role="group"
        aria-label={`Source, section ${index + 1}`}
      >
        {parts.map(({ at, source }) => {
          const section = sections[at];
          if (!section) return null;
          return (
            <section key={at} className="source-part" data-marked={at === index} data-testid="source">
              <SourceTitle number={at + 1} title={section.title} />
              {source.state === 'loading' && at === index && <p className="source-words">Loading</p>}
              {source.state === 'failed' && at === index && (
                <p className="source-words" role="alert">
                  {source.words}{' '}
                  <button type="button" className="text-button" onClick={source.retry}>
                    Try again
                  </button>
                </p>
              )}
              {source.state === 'ready' && (
                <SourceText text={withoutTitle(source.text, section.title)} mediaType={mediaType} />
              )}
            </section>
          );
        })}
      </div>
    </aside>
  );
}

/** So much of the section before stays in sight, in px. */
const lead = 64;

const SourceTitle = ({ number, title }: { number: number; title: string }) => (
  <h3>{/^\d/.test(title) ? title : `${number} ${title}`}</h3>
);

interface StepButtonProps {
  icon: typeof ChevronUp;
  label: string;
  to: number;
  total: number;
  onSelect: (index: number) => void;
}

function StepButton({ icon, label, to, total, onSelect }: StepButtonProps) {
  return (
    <button
      type="button"
      className="icon-button small"
      aria-label={label}
      title={label}
      disabled={to < 0 || to >= total}
      onClick={() => {
        onSelect(to);
      }}
    >
      <Icon of={icon} size={14} />
    </button>
  );
}

type Source =
  | { state: 'none' | 'loading' }
  | { state: 'ready'; text: string }
  | { state: 'failed'; words: string; retry: () => void };

/** The text of a section, which never changes. */
function useSource(documentId: string, index: number, total: number): Source {
  const exists = index >= 0 && index < total;
  const { data, error, refetch } = useQuery({
    queryKey: ['source', documentId, index],
    queryFn: async ({ signal }) => (await http.getSection(documentId, index, { signal })).source,
    staleTime: Infinity,
    enabled: exists,
  });
  if (!exists) return { state: 'none' };
  if (data !== undefined) return { state: 'ready', text: data };
  if (!error) return { state: 'loading' };
  const words = error instanceof TokencastError ? error.detail : 'The source could not be had.';
  return { state: 'failed', words, retry: () => void refetch() };
}

/** The heading stands above already. */
function withoutTitle(source: string, title: string): string {
  const heading = /^#{1,6} +([^\n]*)\n*/.exec(source);
  const words = heading?.[1]?.replace(/[\\*_`]/g, '').trim();
  return heading && words === title ? source.slice(heading[0].length) : source;
}

/** Of these formats the source has no marks but those of its headings. */
const plainTypes = new Set(['text/plain', 'application/pdf']);

const SourceText = memo(function SourceText({ text, mediaType }: { text: string; mediaType: string }) {
  if (!plainTypes.has(mediaType)) {
    return (
      <Suspense fallback={<p className="source-plain">{text}</p>}>
        <div className="content">
          <Markdown text={text} writing={false} />
        </div>
      </Suspense>
    );
  }
  return unwrap(text)
    .split(/\n{2,}/)
    .map((part, index) => {
      const heading = /^#{1,6} +(.+)$/.exec(part)?.[1];
      return heading === undefined ? (
        <p key={index} className="source-plain">
          {part}
        </p>
      ) : (
        <h4 key={index}>{heading}</h4>
      );
    });
});
