import { Menu } from '@base-ui/react/menu';
import { useQuery } from '@tanstack/react-query';
import { Check } from 'lucide-react';
import type { ButtonHTMLAttributes, ReactElement } from 'react';
import type { ConversationView } from '../../../src/client/index.js';
import { modelsQuery } from '../conversation/models-query.js';
import { http } from '../services.js';
import { Icon } from '../ui/icon.js';
import { toastError } from '../ui/toasts.js';

const byDefault = '';

interface ModelMenuProps {
  conversation: ConversationView;
  trigger: ReactElement<ButtonHTMLAttributes<HTMLButtonElement>>;
}

/** Which model answers here from the next question on. */
export default function ModelMenuPopup({ conversation, trigger }: ModelMenuProps) {
  const { data } = useQuery(modelsQuery);
  const names = data?.items.map(({ id }) => id) ?? [];
  const { id, model } = conversation;
  const choose = (name: string) => {
    http.updateConversation(id, { model: name === byDefault ? null : name }).catch((error: unknown) => {
      toastError('Choosing the model', error);
    });
  };
  return (
    <Menu.Root modal={false} defaultOpen>
      <Menu.Trigger render={trigger} />
      <Menu.Portal>
        <Menu.Positioner className="floating" sideOffset={6} align="start" side="top">
          <Menu.Popup className="menu">
            <Menu.RadioGroup value={model ?? byDefault} onValueChange={choose}>
              {[byDefault, ...names].map((name) => (
                <Menu.RadioItem key={name} value={name} className="menu-item" closeOnClick>
                  <Menu.RadioItemIndicator className="menu-check" keepMounted>
                    <Icon of={Check} />
                  </Menu.RadioItemIndicator>
                  {name === byDefault ? 'Default' : name}
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
