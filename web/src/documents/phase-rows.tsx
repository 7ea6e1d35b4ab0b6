import { Asterisk, CircleAlert, Lightbulb, ListChecks, ScrollText, type LucideIcon } from 'lucide-react';
import { memo, useMemo, type ReactNode } from 'react';
import {
  hasContent,
  type CitedText,
  type ContentBlock,
  type DocumentPhase,
  type DocumentState,
  type Entity,
} from '../../../src/client/index.js';
import { ContentView } from '../room/content-view.js';
import { Icon } from '../ui/icon.js';
import { Cites } from './cites.js';
import { phaseId } from './ids.js';
import { growingEntities, growingTexts } from './growing-list.js';
import { hasValue, phaseSteps, writtenBy, type PhaseStep } from './steps.js';
import { phaseNames } from './words.js';

const icons: Record<DocumentPhase, LucideIcon> = {
  summary: ScrollText,
  keyPoints: Asterisk,
  entities: ListChecks,
  recommendations: Lightbulb,
};

interface PhaseRowsProps {
  state: DocumentState;
  held: boolean;
  /** Goes to a section that is cited. */
  onCite: (index: number) => void;
}

/** What is made of all sections together, on the same line. */
export function PhaseRows({ state, held, onCite }: PhaseRowsProps) {
  return phaseSteps(state).map((step) => (
    <PhaseRow key={step.phase} step={step} state={state} held={held} onCite={onCite} />
  ));
}

function PhaseRow({ step, state, held, onCite }: PhaseRowsProps & { step: PhaseStep }) {
  const { phase, status, run } = step;
  const { result, error } = state.document;
  const isWriting = status === 'running';
  const hasBegun = isWriting && run !== null && hasContent(run.content);
  return (
    <li
      id={phaseId(phase)}
      className="section-row phase-row"
      data-testid={`phase-${phase}`}
      data-status={status}
      // What stands from before is to be written anew.
      data-former={!hasBegun && status !== 'done' && hasValue(result, phase)}
    >
      <span className="node" aria-hidden>
        <Icon of={icons[phase]} size={14} />
      </span>
      <div className="section-head">
        <h2>{phaseNames[phase]}</h2>
        {isWriting && (
          <span className="section-note live">{held ? 'held' : hasBegun ? 'writing' : 'reading'}</span>
        )}
        {status === 'cancelled' && !hasValue(result, phase) && (
          <span className="section-note">not written</span>
        )}
      </div>
      <PhaseBody step={step} state={state} hasBegun={hasBegun} held={held} onCite={onCite} />
      {status === 'failed' && (
        <p className="section-fault">
          <Icon of={CircleAlert} size={14} />
          <span>{error?.message ?? 'It could not be written.'}</span>
        </p>
      )}
    </li>
  );
}

interface PhaseBodyProps extends PhaseRowsProps {
  step: PhaseStep;
  hasBegun: boolean;
}

function PhaseBody({
  step: { phase, status, run },
  state,
  hasBegun,
  held,
  onCite,
}: PhaseBodyProps): ReactNode {
  const { sections, result } = state.document;
  const written = hasBegun ? writtenBy(run) : null;
  const caret = hasBegun && !held;
  const total = sections.length;
  switch (phase) {
    case 'summary':
      return <Summary text={written ?? result.summary ?? ''} writing={caret} />;
    case 'keyPoints':
    case 'recommendations': {
      const items = written === null ? result[phase] : growingTexts(phase, written);
      if (items.length === 0 && status === 'done') return <p className="phase-words">{nothing[phase]}</p>;
      return <CitedList items={items} total={total} caret={caret} onCite={onCite} />;
    }
    case 'entities': {
      const items = written === null ? result.entities : growingEntities(written);
      if (items.length === 0 && status === 'done') return <p className="phase-words">{nothing.entities}</p>;
      return <EntityList items={items} total={total} caret={caret} onCite={onCite} />;
    }
  }
}

const nothing = {
  keyPoints: 'No points stand out.',
  entities: 'It names nobody and nothing in particular.',
  recommendations: 'It calls for nothing.',
};

const Summary = memo(function Summary({ text, writing }: { text: string; writing: boolean }) {
  const content = useMemo((): readonly ContentBlock[] => [{ type: 'text', text }], [text]);
  return text === '' ? null : <ContentView content={content} writing={writing} seen={null} />;
});

interface ListProps<T> {
  items: readonly T[];
  /** How many sections there are to cite. */
  total: number;
  /** Whether the last one is being written. */
  caret: boolean;
  onCite: (index: number) => void;
}

function CitedList({ items, total, caret, onCite }: ListProps<CitedText>) {
  if (items.length === 0) return null;
  return (
    <ul className="cited-list content">
      {items.map(({ text, sections }, i) => (
        <li key={i}>
          <span data-caret={caret && i === items.length - 1 ? '' : undefined}>{text}</span>{' '}
          <Cites sections={sections} total={total} onCite={onCite} />
        </li>
      ))}
    </ul>
  );
}

function EntityList({ items, total, caret, onCite }: ListProps<Entity>) {
  if (items.length === 0) return null;
  return (
    <ul className="entity-list content">
      {items.map(({ name, type, sections }, i) => (
        <li key={i}>
          <span className="entity-name" data-caret={caret && i === items.length - 1 ? '' : undefined}>
            {name}
          </span>
          <span className="entity-type">{type}</span>
          <Cites sections={sections} total={total} onCite={onCite} />
        </li>
      ))}
    </ul>
  );
}
