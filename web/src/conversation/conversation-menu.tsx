import { onDemand } from '../ui/on-demand.js';

/** What can be done with a conversation, behind a button. */
export const ConversationMenu = onDemand(() => import('./conversation-menu-popup.js'), {
  popup: 'menu',
  name: 'The menu',
});
