import { lazy, Suspense, useSyncExternalStore } from 'react';
import { dialog } from './conversation/dialogs.js';
import { keysDialog } from './keys/keys-store.js';
import { whenIdle } from './lib/when-idle.js';

const loadDialogs = () => import('./conversation/conversation-dialogs.js');
const ConversationDialogs = lazy(loadDialogs);
const KeysDialog = lazy(() => import('./keys/keys-dialog.js'));
whenIdle(() => void loadDialogs().catch(() => undefined));

/** What stands over the page when it is asked for. None of it is needed for the first picture. */
export function Dialogs() {
  const open = useSyncExternalStore(dialog.subscribe, dialog.get);
  const keys = useSyncExternalStore(keysDialog.subscribe, keysDialog.get);
  return (
    <Suspense>
      {open && <ConversationDialogs open={open} />}
      {keys && <KeysDialog />}
    </Suspense>
  );
}
