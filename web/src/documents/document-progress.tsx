import { useMemo } from 'react';
import {
  hasDocumentEnded,
  type DocumentPhase,
  type DocumentState,
  type SectionStatus,
} from '../../../src/client/index.js';
import { counted, sumUsd } from '../lib/format.js';
import { phaseId, sectionId } from './ids.js';
import { phaseSteps, sectionPercents } from './steps.js';
import { useRemaining } from './use-remaining.js';
import { phaseNames, remaining, sentence } from './words.js';

interface DocumentProgressProps {
  state: DocumentState;
  stopping: boolean;
  /** Brings a section or phase into sight. */
  onShow: (target: number | DocumentPhase) => void;
}

/** How far a document is: in percent, in words, and one segment for each section, then for each phase. */
export function DocumentProgress({ state, stopping, onShow }: DocumentProgressProps) {
  const { document } = state;
  const { progress, usage, costUsd, sections, status } = document;
  const leftMs = useRemaining(document);
  const percents = useMemo(() => sectionPercents(state), [state]);
  const phases = phaseSteps(state);
  const tokens =
    usage.inputTokens + usage.outputTokens + usage.cacheReadInputTokens + usage.cacheCreationInputTokens;
  const inPhases = phases.some((step) => step.status === 'running');
  return (
    <div className="document-progress">
      <div className="progress-line">
        <b data-testid="percent">{progress.percent} %</b>
        <span
          className="progress-words"
          data-tone={status === 'failed' ? 'bad' : undefined}
          data-testid="sentence"
        >
          {sentence(document, stopping)}
        </span>
        <span className="progress-figures">
          {leftMs !== null && !stopping && <b>{remaining(leftMs)} left</b>}
          {tokens > 0 && (
            <span>
              {counted(tokens, 'token')}, {sumUsd(costUsd)}
            </span>
          )}
        </span>
      </div>
      <div
        className="segments"
        role="progressbar"
        aria-label="Analysis"
        aria-valuenow={progress.percent}
        aria-valuetext={`${progress.percent} %, ${sentence(document, stopping)}`}
        data-many={sections.length > 60}
      >
        <div className="segment-group of-sections">
          {sections.map(({ index, status: step }) => (
            <Segment key={index} status={step} percent={percents[index] ?? null} />
          ))}
        </div>
        {phases.map(({ phase, status: step }) => (
          <div key={phase} className={`segment-group of-${phase}`}>
            <Segment status={step} percent={null} />
          </div>
        ))}
      </div>
      <nav className="segment-names" aria-label="Parts of the analysis">
        <a
          className="of-sections"
          href={`#${sectionId(0)}`}
          data-current={!hasDocumentEnded(status) && !inPhases}
          onClick={(event) => {
            event.preventDefault();
            onShow(0);
          }}
        >
          Sections
        </a>
        {phases.map(({ phase, status: step }) => (
          <a
            key={phase}
            className={`of-${phase}`}
            href={`#${phaseId(phase)}`}
            data-current={step === 'running'}
            onClick={(event) => {
              event.preventDefault();
              onShow(phase);
            }}
          >
            {phaseNames[phase]}
          </a>
        ))}
      </nav>
    </div>
  );
}

function Segment({ status, percent }: { status: SectionStatus; percent: number | null }) {
  return (
    <span className="segment" data-status={status}>
      {status === 'running' && <i style={{ width: `${percent ?? 50}%` }} />}
    </span>
  );
}
