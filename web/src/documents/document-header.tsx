import {
  ArrowLeft,
  ChevronDown,
  Download,
  Ellipsis,
  MessageSquareText,
  Play,
  RotateCcw,
  Square,
} from 'lucide-react';
import { hasDocumentEnded, type Document } from '../../../src/client/index.js';
import { Link } from '../router.js';
import { Icon } from '../ui/icon.js';
import { DocumentMenu } from './document-menu.js';
import { useAskAbout, useResume } from './use-document-actions.js';
import { failedSections, kindAndSize } from './words.js';

/** To the list, where there is no room for it beside. */
export function BackButton() {
  return (
    <Link
      className="icon-button back-button"
      href="/documents"
      aria-label="All documents"
      title="All documents"
    >
      <Icon of={ArrowLeft} />
    </Link>
  );
}

interface DocumentHeaderProps {
  document: Document;
  stopping: boolean;
  onStop: () => void;
}

/** What it is, and what can be done with it. */
export function DocumentHeader({ document, stopping, onStop }: DocumentHeaderProps) {
  const ask = useAskAbout();
  return (
    <header className="room-header document-header">
      <BackButton />
      <h1>
        <span title={document.name}>{document.name}</span>
      </h1>
      <span className="document-kind">{kindAndSize(document)}</span>
      <button
        type="button"
        className="quiet-button head-button"
        disabled={ask.isPending}
        onClick={() => {
          ask.mutate(document);
        }}
      >
        <Icon of={MessageSquareText} size={14} />
        <span>Ask about it</span>
      </button>
      <DocumentMenu
        document={document}
        only="report"
        trigger={
          <button type="button" className="quiet-button head-button">
            <Icon of={Download} size={14} />
            <span>Report</span>
            <Icon of={ChevronDown} size={14} />
          </button>
        }
      />
      <MainButton document={document} stopping={stopping} onStop={onStop} />
      <DocumentMenu
        document={document}
        trigger={
          <button type="button" className="icon-button" aria-label="More">
            <Icon of={Ellipsis} />
          </button>
        }
      />
    </header>
  );
}

/** Stops what runs, and goes on with what is missing. */
function MainButton({ document, stopping, onStop }: DocumentHeaderProps) {
  const { id, status } = document;
  const resume = useResume(id);
  if (!hasDocumentEnded(status)) {
    return (
      <button type="button" className="button" disabled={stopping} onClick={onStop}>
        <Square className="stop-glyph" size={10} aria-hidden />
        {stopping ? 'Stopping' : 'Stop'}
      </button>
    );
  }
  if (status === 'completed' && failedSections(document) === 0) return null;
  const again = status === 'cancelled' ? 'Resume' : 'Retry';
  return (
    <button
      type="button"
      className="button"
      disabled={resume.isPending}
      onClick={() => {
        resume.mutate();
      }}
    >
      <Icon of={again === 'Resume' ? Play : RotateCcw} size={14} />
      {again}
    </button>
  );
}
