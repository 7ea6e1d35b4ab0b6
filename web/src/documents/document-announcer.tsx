import { useEffect, useRef, useState } from 'react';
import type { Document } from '../../../src/client/index.js';
import { counted } from '../lib/format.js';
import { failedSections, sentence } from './words.js';

/** What screen readers are told of a document: how it stands, its phases, and what failed; never tokens or numbers. */
export function DocumentAnnouncer({ document }: { document: Document }) {
  const [words, setWords] = useState('');
  const before = useRef(document);
  useEffect(() => {
    const { status, phase } = before.current;
    const failedBefore = failedSections(before.current);
    before.current = document;
    const failed = failedSections(document);
    if (document.status !== status) setWords(statusWords(document));
    else if (failed > failedBefore) setWords(`${counted(failed, 'section')} failed`);
    else if (document.phase !== phase && document.phase !== null) setWords(sentence(document, false));
  }, [document]);
  return (
    <div className="visually-hidden" role="status" aria-live="polite" data-testid="document-announcer">
      {words}
    </div>
  );
}

function statusWords(document: Document): string {
  switch (document.status) {
    case 'queued':
      return 'Queued';
    case 'running':
      return 'The document is being read';
    case 'completed':
      return `The analysis is done. ${sentence(document, false)}`;
    default:
      return sentence(document, false);
  }
}
