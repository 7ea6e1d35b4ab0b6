import { Store } from '../lib/store.js';
import { stored } from '../lib/stored.js';

const key = 'tokencast.sidebar';

/** Whether the sidebar is folded to a rail; kept in this browser. */
export const folded = new Store(stored.get(key) === 'folded');

folded.subscribe(() => {
  stored.set(key, folded.get() ? 'folded' : '');
});
