import { useEffect, useSyncExternalStore } from 'react';
import type { User } from '../../../src/client/index.js';
import { useMedia } from '../lib/use-media.js';
import { useFileDrop } from '../room/use-file-drop.js';
import { documentPath, navigate, parsePath } from '../router.js';
import { useOwnLists } from '../sidebar/own-lists.js';
import { DeleteDialog } from './delete-dialog.js';
import { DocumentList } from './document-list.js';
import { NothingOpen } from './nothing-open.js';
import { OpenDocument } from './open-document.js';
import { uploadsOf } from './own-uploads.js';
import './documents.css';
import './document-item.css';

interface DocumentsProps {
  /** Null: none is open. */
  documentId: string | null;
  user: User;
}

/** One's documents, and the one that is open beside; on narrow screens one or the other. */
export default function Documents({ documentId, user }: DocumentsProps) {
  const uploads = uploadsOf(user.id);
  const files = useSyncExternalStore(uploads.subscribe, uploads.get);
  const { documents } = useOwnLists();
  const isWide = useMedia('(min-width: 900px)');
  const over = useFileDrop((dropped) => {
    uploads.add(dropped);
  });
  useEffect(() => {
    if (documents) uploads.settle(new Set(documents.map(({ id }) => id)));
  }, [documents, uploads, files]);

  // The first of what one has just given is opened, where nothing else is.
  const accepted = files.find(({ state }) => state.kind === 'accepted')?.state;
  const firstId = accepted?.kind === 'accepted' ? accepted.document.id : null;
  useEffect(() => {
    const route = parsePath(location.pathname);
    const isFree = route.page === 'documents' && route.documentId === null;
    if (firstId && isFree && isWide) navigate(documentPath(firstId));
  }, [firstId, isWide]);

  return (
    <div className="documents" data-open={documentId !== null}>
      <DocumentList uploads={uploads} over={over} openId={documentId} />
      {documentId === null ? (
        <NothingOpen none={documents?.length === 0 && files.length === 0} />
      ) : (
        <OpenDocument key={documentId} documentId={documentId} />
      )}
      <DeleteDialog openId={documentId} />
    </div>
  );
}
