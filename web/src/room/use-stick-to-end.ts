import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react';

/** Nearer to the end than this counts as at the end, in px. */
const nearPx = 48;
const upwardKeys = new Set(['ArrowUp', 'PageUp', 'Home']);

/**
 * Keeps a scrolled element at its end while the reader is there, and leaves it alone once they scroll up. What they
 * mean to do counts from the first wheel click, not from the scroll that follows: else growing text would pull them
 * back in mid-turn.
 *
 * @param content changes whenever the element may have grown
 * @param fromStart whether it begins at its beginning, and is followed once the reader comes to its end
 */
export function useStickToEnd(element: RefObject<HTMLElement | null>, content: unknown, fromStart = false) {
  const [atEnd, setAtEnd] = useState(!fromStart);
  const follows = useRef(!fromStart);

  const toEnd = useCallback(() => {
    const { current } = element;
    if (!current) return;
    follows.current = true;
    setAtEnd(true);
    current.scrollTop = current.scrollHeight;
  }, [element]);

  useEffect(() => {
    const { current } = element;
    if (!current) return;
    let lastTop = current.scrollTop;
    const isNear = () => current.scrollHeight - current.scrollTop - current.clientHeight <= nearPx;
    const release = () => {
      if (current.scrollTop > 0) follows.current = false;
    };
    const settle = () => {
      const isUpward = current.scrollTop < lastTop;
      lastTop = current.scrollTop;
      if (!isNear()) follows.current = false;
      else if (!isUpward) follows.current = true;
      setAtEnd(isNear());
    };
    const leaving = new AbortController();
    const options = { passive: true, signal: leaving.signal };
    current.addEventListener('scroll', settle, options);
    current.addEventListener('touchmove', release, options);
    current.addEventListener('touchend', settle, options);
    const onWheel = ({ deltaY }: WheelEvent) => {
      if (deltaY < 0) release();
    };
    const onKeyDown = ({ key }: KeyboardEvent) => {
      if (upwardKeys.has(key)) release();
    };
    current.addEventListener('wheel', onWheel, options);
    current.addEventListener('keydown', onKeyDown, options);
    // The composer grows, windows turn: the end moves without a scroll.
    const observer = new ResizeObserver(() => {
      if (follows.current) current.scrollTop = current.scrollHeight;
    });
    observer.observe(current);
    return () => {
      observer.disconnect();
      leaving.abort();
    };
  }, [element]);

  useLayoutEffect(() => {
    if (follows.current && element.current) element.current.scrollTop = element.current.scrollHeight;
  }, [element, content]);

  return { atEnd, toEnd };
}
