/** Whether this keyboard has ⌘ for what others do with Ctrl. */
export const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** As it is written before a letter: `⌘K`, `Ctrl K`. */
export const commandKey = isApple ? '⌘' : 'Ctrl ';

/** Whether ⌘ (Ctrl elsewhere) is held, and nothing else. */
export const isCommand = (event: {
  metaKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}): boolean => (isApple ? event.metaKey : event.ctrlKey) && !event.altKey && !event.shiftKey;

/** Whether keys of this target are text. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLTextAreaElement ||
  target instanceof HTMLSelectElement ||
  (target instanceof HTMLInputElement && target.type !== 'radio');
