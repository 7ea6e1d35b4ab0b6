import { useSyncExternalStore } from 'react';
import { hasDocumentEnded, type DocumentHead } from '../../../src/client/index.js';
import ConfirmDialog from '../conversation/confirm-dialog.js';
import { Store } from '../lib/store.js';
import { replacePath } from '../router.js';
import { http } from '../services.js';
import { useOwnLists } from '../sidebar/own-lists.js';

/** The document that is about to be deleted; null: none. One for the page, since a menu that asks goes away. */
export const toBeDeleted = new Store<DocumentHead | null>(null);

const close = () => {
  toBeDeleted.set(null);
};

/** Asks before a document goes. */
export function DeleteDialog({ openId }: { openId: string | null }) {
  const document = useSyncExternalStore(toBeDeleted.subscribe, toBeDeleted.get);
  const { refresh } = useOwnLists();
  if (!document) return null;
  const { id, name, status } = document;
  const running = hasDocumentEnded(status) ? '' : ' Its analysis stops.';
  return (
    <ConfirmDialog
      title="Delete this document?"
      words={`“${name}” goes with its file and all that was written about it.${running} This cannot be undone.`}
      confirm="Delete"
      keep="Keep"
      doing="Deleting"
      act={async () => {
        await http.deleteDocument(id);
        refresh();
        if (openId === id) replacePath('/documents');
      }}
      onClose={close}
    />
  );
}
