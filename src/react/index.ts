/** React's hooks for what the client watches. */
export { useConversation, useDocument, useGeneration, useUser } from './hooks.js';
export { useOpened } from './use-opened.js';
export { useSelected } from './use-selected.js';
export type { Watchable } from './use-selected.js';
