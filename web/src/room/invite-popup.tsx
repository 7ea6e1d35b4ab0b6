import { Popover } from '@base-ui/react/popover';
import { useQuery } from '@tanstack/react-query';
import {
  useEffect,
  useState,
  useSyncExternalStore,
  type ButtonHTMLAttributes,
  type ReactElement,
} from 'react';
import { TokencastError } from '../../../src/client/index.js';
import { http } from '../services.js';
import { CopyButton } from '../ui/copy-button.js';
import { Segmented } from '../ui/segmented.js';
import { invitePopover } from './invite-store.js';

type InvitedRole = 'member' | 'viewer';

const roles: readonly { value: InvitedRole; label: string }[] = [
  { value: 'member', label: 'Can write' },
  { value: 'viewer', label: 'Can read' },
];

interface InvitePopupProps {
  conversationId: string;
  trigger: ReactElement<ButtonHTMLAttributes<HTMLButtonElement>>;
}

/** Makes a link by which others join. */
export default function InvitePopup({ conversationId, trigger }: InvitePopupProps) {
  const open = useSyncExternalStore(invitePopover.subscribe, invitePopover.get);
  useEffect(() => {
    invitePopover.set(true);
    return () => {
      invitePopover.set(false);
    };
  }, []);
  return (
    <Popover.Root
      open={open}
      onOpenChange={(next) => {
        invitePopover.set(next);
      }}
    >
      <Popover.Trigger render={trigger} />
      <Popover.Portal>
        <Popover.Positioner className="floating" sideOffset={8} align="end" collisionPadding={12}>
          <Popover.Popup className="popover invite" data-testid="invite">
            <Popover.Title className="popover-title">Invite people</Popover.Title>
            <InviteLink conversationId={conversationId} />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}

function InviteLink({ conversationId }: { conversationId: string }) {
  const [role, setRole] = useState<InvitedRole>('member');
  const { data, error, refetch } = useQuery({
    queryKey: ['invite', conversationId, role],
    queryFn: ({ signal }) => http.createInvite(conversationId, role, { signal }),
    // Links hold for days; one for each role is enough while the page is open.
    staleTime: Infinity,
  });
  return (
    <>
      <Segmented label="They" name="role" options={roles} value={role} onChange={setRole} />
      <div className="invite-link">
        <input
          readOnly
          value={data?.url ?? ''}
          aria-label="Link"
          placeholder="Making the link"
          onFocus={(event) => {
            event.target.select();
          }}
        />
        {data && <CopyButton text={data.url} label="Copy the link" />}
      </div>
      {error ? (
        <p className="problem" role="alert">
          {error instanceof TokencastError ? error.detail : 'The link could not be made.'}{' '}
          <button type="button" className="text-button" onClick={() => void refetch()}>
            Try again
          </button>
        </p>
      ) : (
        <p className="popover-words">
          Whoever opens it {role === 'member' ? 'can read and write' : 'can read'} here.
          {data &&
            ` Good until ${new Date(data.expiresAt).toLocaleDateString('en-GB', { day: 'numeric', month: 'long' })}.`}
        </p>
      )}
    </>
  );
}
