import { lazy, Suspense } from 'react';
import { titleFrom } from '../lib/format.js';
import { http } from '../services.js';
import type { LogWork } from './use-log-actions.js';

const ConfirmDialog = lazy(() => import('../conversation/confirm-dialog.js'));

/** Asks before a message goes that somebody wants to delete. */
export function RemoveDialog({ work: { removing, keep } }: { work: LogWork }) {
  if (!removing) return null;
  const what = removing.role === 'user' ? 'message' : 'answer';
  return (
    <Suspense>
      <ConfirmDialog
        title={`Delete this ${what} for everyone?`}
        words={`“${titleFrom(removing.text)}” goes. This cannot be undone.`}
        confirm="Delete"
        keep="Keep"
        doing="Deleting"
        act={() => http.deleteMessage(removing.id)}
        onClose={keep}
      />
    </Suspense>
  );
}
