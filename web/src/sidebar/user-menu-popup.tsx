import { Menu } from '@base-ui/react/menu';
import { Check, Keyboard, Monitor, Moon, Sun, type LucideIcon } from 'lucide-react';
import { useSyncExternalStore, type ButtonHTMLAttributes, type ReactElement } from 'react';
import { appearance, appearances, type Appearance } from '../appearance/appearance.js';
import { keysDialog } from '../keys/keys-store.js';
import { Icon } from '../ui/icon.js';
import { MenuItem } from '../ui/menu-item.js';

const looks: Record<Appearance, { icon: LucideIcon; words: string }> = {
  system: { icon: Monitor, words: 'As the system' },
  light: { icon: Sun, words: 'Light' },
  dark: { icon: Moon, words: 'Dark' },
};

/** What one may set for oneself, in this browser. */
export default function UserMenuPopup({
  trigger,
}: {
  trigger: ReactElement<ButtonHTMLAttributes<HTMLButtonElement>>;
}) {
  const chosen = useSyncExternalStore(appearance.subscribe, appearance.get);
  return (
    <Menu.Root modal={false} defaultOpen>
      <Menu.Trigger render={trigger} />
      <Menu.Portal>
        <Menu.Positioner className="floating" side="top" align="end" sideOffset={8} collisionPadding={8}>
          <Menu.Popup className="menu">
            <Menu.RadioGroup
              value={chosen}
              onValueChange={(next: Appearance) => {
                appearance.set(next);
              }}
            >
              {appearances.map((one) => (
                <Menu.RadioItem key={one} value={one} className="menu-item">
                  <Icon of={looks[one].icon} />
                  <span className="menu-words">{looks[one].words}</span>
                  <Menu.RadioItemIndicator className="menu-check" keepMounted>
                    <Icon of={Check} size={14} />
                  </Menu.RadioItemIndicator>
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
            <Menu.Separator className="menu-rule" />
            <MenuItem
              icon={Keyboard}
              onClick={() => {
                keysDialog.set(true);
              }}
            >
              Keyboard shortcuts
            </MenuItem>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
