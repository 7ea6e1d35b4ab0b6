import { Menu as MenuIcon } from 'lucide-react';
import { Icon } from '../ui/icon.js';
import { drawer } from './drawer.js';

/** Opens the drawer, where the screen is too narrow for the sidebar. */
export function DrawerButton() {
  return (
    <button
      type="button"
      className="icon-button drawer-button"
      aria-label="Conversations"
      onClick={() => {
        drawer.set(true);
      }}
    >
      <Icon of={MenuIcon} />
    </button>
  );
}
