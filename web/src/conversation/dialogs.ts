import type { ConversationView } from '../../../src/client/index.js';
import { Store } from '../lib/store.js';

/** What can be asked about a conversation, in a dialog over the page. */
export type Question = 'rename' | 'settings' | 'clear' | 'leave' | 'delete';

export interface OpenDialog {
  question: Question;
  conversation: ConversationView;
}

/** The open dialog; null: none. One for the page, since a menu that opens it goes away. */
export const dialog = new Store<OpenDialog | null>(null);
