import { onDemand } from '../ui/on-demand.js';

/** What one may set for oneself, behind a button. */
export const UserMenu = onDemand(() => import('./user-menu-popup.js'), {
  popup: 'menu',
  name: 'The settings',
});
