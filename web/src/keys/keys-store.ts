import { Store } from '../lib/store.js';

/** Whether the list of keys is open. */
export const keysDialog = new Store(false);
