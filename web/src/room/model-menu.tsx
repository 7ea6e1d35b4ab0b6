import { ChevronDown } from 'lucide-react';
import type { ConversationView } from '../../../src/client/index.js';
import { Icon } from '../ui/icon.js';
import { onDemand } from '../ui/on-demand.js';

const Models = onDemand(() => import('./model-menu-popup.js'), { popup: 'menu', name: 'The models' });

/** Which model answers here, to choose another. `used`: the one that answered last. */
export function ModelMenu({ conversation, used }: { conversation: ConversationView; used: string | null }) {
  return (
    <Models
      conversation={conversation}
      trigger={
        <button type="button" className="quiet-button model-button">
          <span className="visually-hidden">Model</span>
          <span>{conversation.model ?? used ?? 'Default model'}</span>
          <Icon of={ChevronDown} size={14} />
        </button>
      }
    />
  );
}
