import { useEffect } from 'react';
import { isCommand, isTyping } from '../lib/keys.js';

/** End, outside of fields, and ⌘J go to the newest. */
export function useNewestKeys(toEnd: () => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const isEnd = event.key === 'End' && !isTyping(event.target);
      const isJump = isCommand(event) && event.key.toLowerCase() === 'j';
      if (!isEnd && !isJump) return;
      event.preventDefault();
      toEnd();
    };
    addEventListener('keydown', onKeyDown);
    return () => {
      removeEventListener('keydown', onKeyDown);
    };
  }, [toEnd]);
}
