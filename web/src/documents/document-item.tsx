import { Check, CircleAlert, Ellipsis, Play, RotateCcw, TriangleAlert } from 'lucide-react';
import type { DocumentHead } from '../../../src/client/index.js';
import { documentPath, Link } from '../router.js';
import { Icon } from '../ui/icon.js';
import { DocumentMenu } from './document-menu.js';
import { useResume } from './use-document-actions.js';
import { useRemaining } from './use-remaining.js';
import { failedSections, remaining, standing } from './words.js';

/** A document of the list, with how it stands and what can be done about it. */
export function DocumentItem({ document, current }: { document: DocumentHead; current: boolean }) {
  const { id, name, status, progress } = document;
  const leftMs = useRemaining(document);
  const resume = useResume(id);
  const again = nextStep(document);
  const words = [standing(document), leftMs !== null && `${remaining(leftMs)} left`]
    .filter(Boolean)
    .join(', ');
  return (
    <li className="document-item" data-testid="document" data-status={status} data-current={current}>
      <Link className="item-main" href={documentPath(id)} aria-current={current ? 'page' : undefined}>
        <span className="item-head">
          <span className="item-name">{name}</span>
          {status === 'running' && <span className="item-percent">{progress.percent} %</span>}
        </span>
        <span className="item-words" data-tone={toneOf(document)}>
          <StandingIcon document={document} />
          <span>{words}</span>
        </span>
        {status === 'running' && (
          <span className="item-bar" aria-hidden>
            <i style={{ width: `${progress.percent}%` }} />
          </span>
        )}
      </Link>
      <div className="item-actions">
        <DocumentMenu
          document={document}
          trigger={
            <button type="button" className="icon-button small item-more" aria-label={`More about ${name}`}>
              <Icon of={Ellipsis} size={14} />
            </button>
          }
        />
        {again && (
          <button
            type="button"
            className="button small"
            disabled={resume.isPending}
            aria-label={`${again} ${name}`}
            onClick={() => {
              resume.mutate();
            }}
          >
            <Icon of={again === 'Resume' ? Play : RotateCcw} size={14} />
            {again}
          </button>
        )}
      </div>
    </li>
  );
}

/** What makes it go on, where something of it is missing. */
function nextStep(document: DocumentHead): 'Resume' | 'Retry' | null {
  switch (document.status) {
    case 'cancelled':
      return 'Resume';
    case 'failed':
      return 'Retry';
    case 'completed':
      return failedSections(document) > 0 ? 'Retry' : null;
    default:
      return null;
  }
}

function toneOf(document: DocumentHead): 'bad' | 'warn' | undefined {
  if (document.status === 'failed') return 'bad';
  return document.status === 'completed' && failedSections(document) > 0 ? 'warn' : undefined;
}

function StandingIcon({ document }: { document: DocumentHead }) {
  const tone = toneOf(document);
  if (tone === 'bad') return <Icon of={CircleAlert} size={14} />;
  if (tone === 'warn') return <Icon of={TriangleAlert} size={14} />;
  return document.status === 'completed' ? <Icon of={Check} size={14} /> : null;
}
