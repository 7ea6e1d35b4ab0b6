import { Menu } from '@base-ui/react/menu';
import {
  Check,
  Code,
  Eraser,
  Link2,
  LogOut,
  MessagesSquare,
  Pencil,
  ScrollText,
  Trash2,
  UserPlus,
} from 'lucide-react';
import type { ButtonHTMLAttributes, ReactElement } from 'react';
import { mayWrite, type ConversationView } from '../../../src/client/index.js';
import { navigate, roomPath, useRoute, workshopPath } from '../router.js';
import { invitePopover } from '../room/invite-store.js';
import { useCopy } from '../ui/copy-button.js';
import { MenuItem } from '../ui/menu-item.js';
import { dialog, type Question } from './dialogs.js';

export interface ConversationMenuProps {
  conversation: ConversationView;
  /** The button that opens it. */
  trigger: ReactElement<ButtonHTMLAttributes<HTMLButtonElement>>;
  /** With which edge of the button it lines up. */
  align?: 'start' | 'end';
  /** Whether it is that of the room one is in: one may pass its address on, and invite to it. */
  ofRoom?: boolean;
}

/** What can be done with a conversation, as far as one's role allows. */
export default function ConversationMenuPopup(props: ConversationMenuProps) {
  const { conversation, trigger, align = 'end', ofRoom = false } = props;
  const { page } = useRoute();
  const writes = mayWrite(conversation.role);
  const owns = conversation.role === 'owner';
  const asks = (question: Question) => () => {
    dialog.set({ question, conversation });
  };
  return (
    <Menu.Root modal={false} defaultOpen>
      <Menu.Trigger render={trigger} />
      <Menu.Portal>
        <Menu.Positioner className="floating" sideOffset={4} align={align}>
          <Menu.Popup className="menu">
            {ofRoom && <RoomItems conversation={conversation} />}
            {page === 'workshop' ? (
              <MenuItem
                icon={MessagesSquare}
                onClick={() => {
                  navigate(roomPath(conversation.id));
                }}
              >
                Open as a conversation
              </MenuItem>
            ) : (
              <MenuItem
                icon={Code}
                onClick={() => {
                  navigate(workshopPath(conversation.id));
                }}
              >
                Open in the workshop
              </MenuItem>
            )}
            {writes && (
              <>
                <MenuItem icon={Pencil} onClick={asks('rename')}>
                  Rename
                </MenuItem>
                <MenuItem icon={ScrollText} onClick={asks('settings')}>
                  Model and instructions
                </MenuItem>
                <Menu.Separator className="menu-rule" />
                <MenuItem icon={Eraser} onClick={asks('clear')}>
                  Clear the history
                </MenuItem>
              </>
            )}
            {owns ? (
              <MenuItem icon={Trash2} bad onClick={asks('delete')}>
                Delete
              </MenuItem>
            ) : (
              <MenuItem icon={LogOut} onClick={asks('leave')}>
                Leave
              </MenuItem>
            )}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

function RoomItems({ conversation }: { conversation: ConversationView }) {
  const { copied, copy } = useCopy(location.href);
  return (
    <>
      {mayWrite(conversation.role) && (
        <MenuItem
          icon={UserPlus}
          className="narrow-only"
          onClick={() => {
            invitePopover.set(true);
          }}
        >
          Invite people
        </MenuItem>
      )}
      <MenuItem icon={copied ? Check : Link2} onClick={copy}>
        Copy the link
      </MenuItem>
    </>
  );
}
