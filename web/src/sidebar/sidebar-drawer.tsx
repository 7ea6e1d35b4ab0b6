import { Dialog } from '@base-ui/react/dialog';
import { useEffect, useSyncExternalStore } from 'react';
import type { User } from '../../../src/client/index.js';
import { conversationOf, useRoute } from '../router.js';
import { drawer } from './drawer.js';
import { SidebarContent } from './sidebar.js';

/** The sidebar over the page, where there is no room for it beside. */
export default function SidebarDrawer({ user }: { user: User }) {
  const open = useSyncExternalStore(drawer.subscribe, drawer.get);
  const route = useRoute();
  const at = conversationOf(route) ?? route.page;
  useEffect(() => {
    drawer.set(false);
  }, [at]);
  return (
    <Dialog.Root
      open={open}
      onOpenChange={(next) => {
        drawer.set(next);
      }}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="sidebar drawer">
          <Dialog.Title className="visually-hidden">Conversations</Dialog.Title>
          <SidebarContent user={user} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
