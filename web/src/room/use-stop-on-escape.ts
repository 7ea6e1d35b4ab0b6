import { useEffect, useRef } from 'react';

/** Esc stops what is being written, unless something that is open takes the key. */
export function useStopOnEscape(
  generationId: string | undefined,
  stop: (generationId: string) => void,
): void {
  const latest = useRef(stop);
  useEffect(() => {
    latest.current = stop;
  });
  useEffect(() => {
    if (generationId === undefined) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing) return;
      if (document.querySelector('[role="dialog"], [role="alertdialog"], [role="menu"]')) return;
      latest.current(generationId);
    };
    addEventListener('keydown', onKeyDown);
    return () => {
      removeEventListener('keydown', onKeyDown);
    };
  }, [generationId]);
}
