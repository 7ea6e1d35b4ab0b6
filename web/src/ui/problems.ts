import { Store } from '../lib/store.js';

/** What went wrong and is yet to be shown. */
export const problems = new Store<readonly string[]>([]);
