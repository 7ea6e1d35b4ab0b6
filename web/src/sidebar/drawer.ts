import { Store } from '../lib/store.js';

/** Whether the drawer that stands for the sidebar on narrow screens is open. */
export const drawer = new Store(false);
