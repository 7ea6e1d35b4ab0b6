import { useRef, useState } from 'react';
import { sectionRun, type DocumentState } from '../../../src/client/index.js';
import { ConnectionMark } from '../room/connection-mark.js';
import { Link } from '../router.js';
import { Notice } from '../ui/notice.js';
import { Segmented } from '../ui/segmented.js';
import { Skeleton } from '../ui/skeleton.js';
import { DocumentAnnouncer } from './document-announcer.js';
import { BackButton, DocumentHeader } from './document-header.js';
import { DocumentProgress } from './document-progress.js';
import { PhaseRows } from './phase-rows.js';
import { moveAmongTitles, SectionRow } from './section-row.js';
import { SourcePane } from './source-pane.js';
import { useDocument } from './use-document.js';
import { useRetrySection, useStop } from './use-document-actions.js';
import { useSelection } from './use-selection.js';
import './sections.css';
import './source.css';
import './document.css';

type Tab = 'sections' | 'source';

const tabs: readonly { value: Tab; label: string }[] = [
  { value: 'sections', label: 'Sections' },
  { value: 'source', label: 'Source' },
];

/** A document as it is analysed: its sections along the line, beside what they were made from. */
export function OpenDocument({ documentId }: { documentId: string }) {
  const { state, connection, gone, reconnect } = useDocument(documentId);
  if (gone) {
    const mayBeGone = gone !== 'deleted' && (gone.code === 'not_found' || gone.code === 'forbidden');
    return (
      <section className="document" aria-label="Document">
        <header className="room-header document-header">
          <BackButton />
        </header>
        <Notice title={gone === 'deleted' ? 'This document was deleted' : 'There is no such document'}>
          {gone !== 'deleted' && (
            <p>{mayBeGone ? 'It may have been deleted, or it is somebody else’s.' : gone.detail}</p>
          )}
          <Link href="/documents">Your documents</Link>
        </Notice>
      </section>
    );
  }
  return (
    <section className="document" aria-label={state?.document.name ?? 'Document'}>
      {state ? (
        <WatchedView state={state} reconnect={reconnect} connection={connection} />
      ) : (
        <>
          <header className="room-header document-header">
            <BackButton />
          </header>
          {connection.state !== 'connecting' && (
            <ConnectionMark as="bar" connection={connection} onRetry={reconnect} />
          )}
          <div role="status">
            <span className="visually-hidden">Loading the document</span>
            <Skeleton of="document" rows={awaited} />
          </div>
        </>
      )}
    </section>
  );
}

const awaited = [
  ['30%', '74%', '58%'],
  ['24%', '78%', '66%'],
  ['36%', '70%', '42%'],
];

interface WatchedViewProps {
  state: DocumentState;
  connection: ReturnType<typeof useDocument>['connection'];
  reconnect: () => void;
}

function WatchedView({ state, connection, reconnect }: WatchedViewProps) {
  const { document } = state;
  const [tab, setTab] = useState<Tab>('sections');
  const scroller = useRef<HTMLDivElement>(null);
  const { selected, select, show } = useSelection(state, scroller, () => {
    setTab('sections');
  });
  const { stopping, stop } = useStop(document);
  const retry = useRetrySection(document.id);
  const isHeld = connection.state !== 'live';
  const { sections } = document;
  return (
    <>
      <DocumentHeader document={document} stopping={stopping} onStop={stop} />
      <ConnectionMark as="bar" connection={connection} onRetry={reconnect} />
      <DocumentProgress state={state} stopping={stopping} onShow={show} />
      <div className="document-tabs">
        <Segmented label="Show" name="document-tab" options={tabs} value={tab} onChange={setTab} />
      </div>
      <div className="document-body" data-tab={tab}>
        <div className="section-scroll" ref={scroller} tabIndex={0} role="group" aria-label="Analysis">
          <ol className="section-list" data-held={isHeld} onKeyDown={moveAmongTitles}>
            {sections.map((section) => (
              <SectionRow
                key={section.index}
                section={section}
                run={sectionRun(state, section.index) ?? null}
                selected={section.index === selected}
                tookMs={state.tookMs.get(section.index) ?? null}
                mayRetry={!stopping}
                goesOn={document.status === 'running'}
                retrying={retry.isPending && retry.variables === section.index}
                held={isHeld}
                onSelect={select}
                onRetry={retry.mutate}
              />
            ))}
            <PhaseRows state={state} held={isHeld} onCite={show} />
          </ol>
        </div>
        <SourcePane document={document} index={selected} onSelect={show} />
      </div>
      <DocumentAnnouncer document={document} />
    </>
  );
}
