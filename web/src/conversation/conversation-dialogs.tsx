import { conversationOf, navigate, parsePath } from '../router.js';
import { http, session } from '../services.js';
import { useOwnLists } from '../sidebar/own-lists.js';
import ConfirmDialog from './confirm-dialog.js';
import { ClearDialog } from './clear-dialog.js';
import { dialog, type OpenDialog } from './dialogs.js';
import { RenameDialog } from './rename-dialog.js';
import { runningWords } from './running-words.js';
import { SettingsDialog } from './settings-dialog.js';

const close = () => {
  dialog.set(null);
};

/** The dialog that is open. */
export default function ConversationDialogs({ open }: { open: OpenDialog }) {
  const { conversations, refresh } = useOwnLists();
  const { question } = open;
  // What runs is told to the lists; a room's own copy has it from when it was joined.
  const conversation = conversations?.find(({ id }) => id === open.conversation.id) ?? open.conversation;
  const name = conversation.title ?? 'this conversation';
  /** The room of what is gone is no place to stay. */
  const gone = () => {
    refresh();
    if (conversationOf(parsePath(location.pathname)) === conversation.id) navigate('/');
  };
  switch (question) {
    case 'rename':
      return <RenameDialog conversation={conversation} onClose={close} />;
    case 'settings':
      return <SettingsDialog conversation={conversation} onClose={close} />;
    case 'clear':
      return <ClearDialog conversation={conversation} onClose={close} />;
    case 'delete':
      return (
        <ConfirmDialog
          title="Delete this conversation for everyone?"
          words={`“${name}” goes with all its messages.${runningWords(conversation)} This cannot be undone.`}
          confirm="Delete"
          keep="Keep"
          doing="Deleting"
          act={() => http.deleteConversation(conversation.id).then(gone)}
          onClose={close}
        />
      );
    case 'leave':
      return (
        <ConfirmDialog
          title="Leave this conversation?"
          words={`You will no longer see “${name}”. Coming back takes a new invitation.`}
          confirm="Leave"
          keep="Stay"
          doing="Leaving"
          act={() => http.removeMember(conversation.id, session.get()?.user.id ?? '').then(gone)}
          onClose={close}
        />
      );
  }
}
