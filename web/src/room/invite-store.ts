import { Store } from '../lib/store.js';

/** Whether the invitation is open: menus and greetings open it too. */
export const invitePopover = new Store(false);
