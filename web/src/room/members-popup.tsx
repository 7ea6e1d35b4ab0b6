import { Popover } from '@base-ui/react/popover';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { X } from 'lucide-react';
import type { ButtonHTMLAttributes, ReactElement } from 'react';
import type { ConversationView, Member, PresentUser, Typist, User } from '../../../src/client/index.js';
import { counted } from '../lib/format.js';
import { http, queryClient } from '../services.js';
import { Avatar } from '../ui/avatar.js';
import { Icon } from '../ui/icon.js';
import { toastError } from '../ui/toasts.js';

export interface PresenceProps {
  conversation: ConversationView;
  users: readonly PresentUser[];
  typing: readonly Typist[];
  user: User;
}

interface MembersPopupProps extends PresenceProps {
  trigger: ReactElement<ButtonHTMLAttributes<HTMLButtonElement>>;
}

/** All who take part: their roles, windows, who types and who is not here. */
export default function MembersPopup({ trigger, ...props }: MembersPopupProps) {
  return (
    <Popover.Root defaultOpen>
      <Popover.Trigger render={trigger} />
      <Popover.Portal>
        <Popover.Positioner className="floating" sideOffset={8} align="end" collisionPadding={12}>
          <Popover.Popup className="popover members" data-testid="members">
            <Popover.Title className="visually-hidden">Who takes part</Popover.Title>
            <MemberList {...props} />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}

function MemberList({ conversation, users, typing, user }: PresenceProps) {
  const here = new Map(users.map((one) => [one.id, one]));
  const { data } = useQuery({
    queryKey: ['members', conversation.id, [...here.keys()].sort().join()],
    queryFn: ({ signal }) => http.listMembers(conversation.id, { signal }),
    placeholderData: keepPreviousData,
  });
  const remove = async (member: Member) => {
    try {
      await http.removeMember(conversation.id, member.user.id);
      await queryClient.invalidateQueries({ queryKey: ['members', conversation.id] });
    } catch (error) {
      toastError(`Removing ${member.user.name}`, error);
    }
  };
  const members = (data?.items ?? []).toSorted(
    (a, b) => Number(here.has(b.user.id)) - Number(here.has(a.user.id)),
  );
  return (
    <ul>
      {members.map((member) => {
        const { id, name } = member.user;
        const windows = here.get(id)?.connections ?? 0;
        const isTyping = typing.some((typist) => typist.user.id === id);
        return (
          <li key={id} className="member" data-testid="member">
            <Avatar user={member.user} hollow={windows === 0} />
            <span className="member-name">
              {name}
              {id === user.id && ', you'}
            </span>
            {windows > 1 && <span className="member-windows">{counted(windows, 'window')}</span>}
            <span className="member-note">
              {isTyping ? 'typing' : windows === 0 ? 'not here' : member.role}
            </span>
            {conversation.role === 'owner' && id !== user.id && (
              <button
                type="button"
                className="icon-button small"
                aria-label={`Remove ${name}`}
                onClick={() => void remove(member)}
              >
                <Icon of={X} size={14} />
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}
