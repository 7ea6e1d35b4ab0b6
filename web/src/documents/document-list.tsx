import { FileUp, Upload as UploadIcon } from 'lucide-react';
import { useRef, useState, useSyncExternalStore } from 'react';
import type { DocumentHead } from '../../../src/client/index.js';
import { ConnectionMark } from '../room/connection-mark.js';
import { http } from '../services.js';
import { DrawerButton } from '../sidebar/drawer-button.js';
import { useOwnLists } from '../sidebar/own-lists.js';
import { Icon } from '../ui/icon.js';
import { Skeleton } from '../ui/skeleton.js';
import { toastError } from '../ui/toasts.js';
import { DocumentItem } from './document-item.js';
import { UploadItem } from './upload-item.js';
import type { Uploads } from './uploads.js';

/** What file choosers offer first; what a file is, the server finds out by its content. */
const accepted = '.pdf,.docx,.html,.htm,.md,.markdown,.txt,text/*,application/pdf';

interface DocumentListProps {
  uploads: Uploads;
  /** Whether files are being held over the page. */
  over: boolean;
  openId: string | null;
}

/** One's documents, the newest first, with what is on its way above them. */
export function DocumentList({ uploads, over, openId }: DocumentListProps) {
  const files = useSyncExternalStore(uploads.subscribe, uploads.get);
  const { documents, connection, reconnect } = useOwnLists();
  const older = useOlder(documents);
  const chooser = useRef<HTMLInputElement>(null);
  const choose = () => chooser.current?.click();
  const known = new Set(documents?.map(({ id }) => id));
  const isEmpty = documents?.length === 0 && files.length === 0;
  return (
    <section className="document-list" aria-label="Documents">
      <header className="pane-header">
        <DrawerButton />
        <h1>Documents</h1>
        <button type="button" className="button small" onClick={choose}>
          <Icon of={UploadIcon} size={14} />
          Upload
        </button>
        <input
          ref={chooser}
          type="file"
          hidden
          multiple
          accept={accepted}
          data-testid="files"
          onChange={({ currentTarget }) => {
            uploads.add([...(currentTarget.files ?? [])]);
            // The same file can be chosen again.
            currentTarget.value = '';
          }}
        />
      </header>
      {/* An open document tells of its own. */}
      {openId === null && (documents || connection.state !== 'connecting') && (
        <ConnectionMark as="bar" connection={connection} onRetry={reconnect} />
      )}
      <div className="list-scroll">
        <button type="button" className="drop-zone" data-over={over} onClick={choose}>
          <Icon of={FileUp} />
          <span>
            {over ? 'Let go to upload' : 'Drop files here, several at once'}
            <small>PDF, DOCX, HTML, Markdown, text</small>
          </span>
        </button>
        {!documents && <ListSkeleton />}
        {isEmpty && <p className="list-words">No documents yet.</p>}
        <ul>
          {files.map((upload) =>
            upload.state.kind !== 'accepted' ? (
              <UploadItem key={upload.id} upload={upload} uploads={uploads} />
            ) : (
              !known.has(upload.state.document.id) && (
                <DocumentItem
                  key={upload.state.document.id}
                  document={upload.state.document}
                  current={upload.state.document.id === openId}
                />
              )
            ),
          )}
          {[...(documents ?? []), ...older.documents.filter(({ id }) => !known.has(id))].map((document) => (
            <DocumentItem key={document.id} document={document} current={document.id === openId} />
          ))}
        </ul>
        {older.more && (
          <button
            type="button"
            className="button plain small older-button"
            disabled={older.busy}
            onClick={older.load}
          >
            {older.busy ? 'Loading' : 'Show older ones'}
          </button>
        )}
      </div>
    </section>
  );
}

const awaited = [
  ['58%', '36%'],
  ['44%', '30%'],
  ['66%', '36%'],
];

function ListSkeleton() {
  return (
    <div role="status">
      <span className="visually-hidden">Loading your documents</span>
      <Skeleton of="list" rows={awaited} />
    </div>
  );
}

/** So many the lists have live; the ones before are read when they are asked for. */
const liveDocuments = 50;
const pageSize = 50;

function useOlder(documents: readonly DocumentHead[] | null) {
  const [found, setFound] = useState<readonly DocumentHead[]>([]);
  const [ended, setEnded] = useState(false);
  const [busy, setBusy] = useState(false);
  const last = found.at(-1) ?? documents?.at(-1);
  const load = () => {
    if (!last) return;
    setBusy(true);
    http
      .listDocuments({ before: last.id, limit: pageSize })
      .then(({ items, nextBefore }) => {
        setFound((before) => [...before, ...items]);
        setEnded(nextBefore === null);
      })
      .catch((error: unknown) => {
        toastError('Reading older documents', error);
      })
      .finally(() => {
        setBusy(false);
      });
  };
  return { documents: found, more: !ended && (documents?.length ?? 0) >= liveDocuments, busy, load };
}
