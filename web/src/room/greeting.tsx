import { FileText, ScrollText, UserPlus, type LucideIcon } from 'lucide-react';
import type { ConversationView, User } from '../../../src/client/index.js';
import { mayWrite } from '../../../src/client/index.js';
import { dialog } from '../conversation/dialogs.js';
import { navigate } from '../router.js';
import { BrandMark } from '../ui/brand-mark.js';
import { Icon } from '../ui/icon.js';
import { invitePopover } from './invite-store.js';

interface GreetingProps {
  user: User;
  /** Null where the conversation is yet to be made. */
  conversation?: ConversationView | null;
}

/** What an empty room says, and what one can begin with. */
export function Greeting({ user, conversation = null }: GreetingProps) {
  return (
    <div className="greeting">
      <BrandMark size={24} />
      <h2>Nothing said yet, {user.name}</h2>
      <p>Everyone you invite reads along, word by word. The assistant answers when somebody asks.</p>
      {conversation && mayWrite(conversation.role) && (
        <ul className="beginnings">
          <Beginning
            icon={UserPlus}
            words="Invite people"
            onClick={() => {
              invitePopover.set(true);
            }}
          />
          <Beginning
            icon={ScrollText}
            words="Give the assistant instructions"
            onClick={() => {
              dialog.set({ question: 'settings', conversation });
            }}
          />
          <Beginning
            icon={FileText}
            words="Ask about a document"
            onClick={() => {
              navigate('/documents');
            }}
          />
        </ul>
      )}
    </div>
  );
}

function Beginning({ icon, words, onClick }: { icon: LucideIcon; words: string; onClick: () => void }) {
  return (
    <li>
      <button type="button" className="quiet-button" onClick={onClick}>
        <Icon of={icon} />
        {words}
      </button>
    </li>
  );
}
