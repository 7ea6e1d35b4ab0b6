import { UserPlus } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { Icon } from '../ui/icon.js';
import { onDemand } from '../ui/on-demand.js';
import { invitePopover } from './invite-store.js';

const Invite = onDemand(() => import('./invite-popup.js'), { popup: 'dialog', name: 'The invitation' });

/** Makes a link by which others join. */
export function InviteButton({ conversationId }: { conversationId: string }) {
  const wanted = useSyncExternalStore(invitePopover.subscribe, invitePopover.get);
  return (
    <Invite
      conversationId={conversationId}
      wanted={wanted}
      trigger={
        <button type="button" className="button invite-button" aria-label="Invite">
          <Icon of={UserPlus} size={14} />
          <span>Invite</span>
        </button>
      }
    />
  );
}
