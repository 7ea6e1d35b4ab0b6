import { useEffect, useRef } from 'react';
import { isCommand, isTyping } from '../lib/keys.js';
import { conversationOf, navigate, roomPath, useRoute } from '../router.js';
import { drawer } from '../sidebar/drawer.js';
import { useOwnLists } from '../sidebar/own-lists.js';
import { searchFieldClass } from '../sidebar/search.js';
import { keysDialog } from './keys-store.js';

/** The keys that work on every page: search, the conversation before and after, the list of keys. */
export function usePageKeys(): void {
  const { conversations } = useOwnLists();
  const route = useRoute();
  const step = (by: 1 | -1) => {
    if (!conversations?.length) return;
    const at = conversations.findIndex(({ id }) => id === conversationOf(route));
    const next = conversations[at < 0 ? 0 : at + by];
    if (next) navigate(roomPath(next.id));
  };
  const latest = useRef(step);
  useEffect(() => {
    latest.current = step;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      if (isCommand(event) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        focusSearch();
      } else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
        event.preventDefault();
        latest.current(event.key === 'ArrowUp' ? -1 : 1);
      } else if (event.key === '?' && !isTyping(event.target)) {
        keysDialog.set(true);
      }
    };
    addEventListener('keydown', onKeyDown);
    return () => {
      removeEventListener('keydown', onKeyDown);
    };
  }, []);
}

function focusSearch(): void {
  const visible = [...document.querySelectorAll<HTMLInputElement>(`.${searchFieldClass} input`)].find(
    (input) => input.checkVisibility(),
  );
  if (visible) {
    visible.focus();
    return;
  }
  drawer.set(true);
  // The drawer is drawn first.
  requestAnimationFrame(() =>
    document.querySelector<HTMLInputElement>(`.drawer .${searchFieldClass} input`)?.focus(),
  );
}
