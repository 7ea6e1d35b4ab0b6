import { useLayoutEffect, useRef, useState, type RefObject } from 'react';
import type { ConnectionState } from '../../../src/client/index.js';

/** Where in an answer the words stand that were missed, in px from the top of its row. */
export interface Stretch {
  top: number;
  height: number;
}

/**
 * The stretch that was written while the connection was away, for as long as "caught up" stands.
 *
 * @param content the element that grows with the answer
 */
export function useMissedStretch(
  content: RefObject<HTMLElement | null>,
  connection: ConnectionState,
): Stretch | null {
  const [stretch, setStretch] = useState<Stretch | null>(null);
  const heldAt = useRef<number | null>(null);
  const isLive = connection.state === 'live';
  const isCaughtUp = isLive && connection.caughtUp !== null;

  useLayoutEffect(() => {
    if (!isLive) heldAt.current ??= endOf(content.current);
  }, [content, isLive]);

  useLayoutEffect(() => {
    const top = heldAt.current;
    if (!isCaughtUp || top === null) {
      setStretch(null);
      return;
    }
    heldAt.current = null;
    const height = endOf(content.current) - top;
    setStretch(height > 0 ? { top, height } : null);
  }, [content, isCaughtUp]);

  return stretch;
}

const endOf = (element: HTMLElement | null): number =>
  element ? element.offsetTop + element.offsetHeight : 0;
