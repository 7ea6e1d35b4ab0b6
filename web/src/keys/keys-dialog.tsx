import { Dialog } from '@base-ui/react/dialog';
import { X } from 'lucide-react';
import { commandKey, isApple } from '../lib/keys.js';
import { Icon } from '../ui/icon.js';
import { keysDialog } from './keys-store.js';
import { focusAfterDialog } from '../ui/focus-after-dialog.js';

const alt = isApple ? '⌥' : 'Alt ';

const keys: readonly (readonly [string, string])[] = [
  ['Enter', 'Send'],
  ['Shift Enter', 'Break the line'],
  [`${commandKey}Enter`, 'Send the other way: ask or remark'],
  ['↑', 'Edit your last message, from an empty field'],
  ['Esc', 'Close, else stop the answer'],
  [`${commandKey}K`, 'Search'],
  [`${commandKey}J`, 'Go to the newest'],
  ['End', 'Go to the newest, outside the field'],
  [`${alt}↑ ${alt}↓`, 'Conversation before, after'],
  ['↑ ↓', 'Section before, after, from the title of one'],
  ['?', 'This list'],
];

export default function KeysDialog() {
  return (
    <Dialog.Root
      open
      onOpenChange={(next) => {
        keysDialog.set(next);
      }}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="dialog" data-testid="keys" finalFocus={focusAfterDialog}>
          <Dialog.Title className="dialog-question">Keyboard</Dialog.Title>
          <dl className="keys">
            {keys.map(([key, does]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
          <Dialog.Close className="icon-button small dialog-close" aria-label="Close">
            <Icon of={X} />
          </Dialog.Close>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
