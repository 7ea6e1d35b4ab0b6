import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react';
import type { DocumentPhase, DocumentState } from '../../../src/client/index.js';
import { useHash } from '../router.js';
import { phaseId, sectionId, sectionOfHash } from './ids.js';

/**
 * Which section is looked at: the one that was picked or that the address names, else the first that is being written,
 * which is followed until the reader picks or scrolls.
 *
 * @param onShow before something is brought into sight
 */
export function useSelection(
  { document: { sections, status } }: DocumentState,
  scroller: RefObject<HTMLElement | null>,
  onShow: () => void,
) {
  const hash = useHash();
  const named = sectionOfHash(hash, sections.length);
  const [picked, setPicked] = useState<number | null>(named);
  const [followed, setFollowed] = useState<number | null>(null);
  const follows = useRef(true);

  const running = sections.find((section) => section.status === 'running')?.index ?? null;
  const isWritten = followed !== null && sections[followed]?.status === 'running';
  if (running !== null && !isWritten && followed !== running) setFollowed(running);

  const selected = picked ?? followed ?? 0;

  const bring = useCallback(
    (id: string, block: ScrollLogicalPosition) => {
      scroller.current?.querySelector(`#${id}`)?.scrollIntoView({ block });
    },
    [scroller],
  );

  // What the address names counts again whenever it changes: a citation was followed.
  const lastNamed = useRef<string | null>(null);
  useLayoutEffect(() => {
    if (named === null || lastNamed.current === hash) return;
    lastNamed.current = hash;
    follows.current = false;
    setPicked(named);
    bring(sectionId(named), 'start');
  }, [named, hash, bring]);

  // A finished document is opened at what it comes to, one that is under way at what is being written.
  const opened = useRef(false);
  useLayoutEffect(() => {
    if (opened.current) return;
    opened.current = true;
    if (named === null && status === 'completed') bring(phaseId('summary'), 'start');
  }, [named, status, bring]);

  useLayoutEffect(() => {
    if (picked === null && followed !== null && follows.current) bring(sectionId(followed), 'nearest');
  }, [picked, followed, bring]);

  useEffect(() => {
    const { current } = scroller;
    if (!current) return;
    const release = () => {
      follows.current = false;
    };
    const leaving = new AbortController();
    const options = { passive: true, signal: leaving.signal };
    for (const type of ['wheel', 'touchmove', 'keydown'] as const)
      current.addEventListener(type, release, options);
    return () => {
      leaving.abort();
    };
  }, [scroller]);

  const select = useCallback((index: number) => {
    follows.current = false;
    setPicked(index);
  }, []);

  const latest = useRef(onShow);
  useEffect(() => {
    latest.current = onShow;
  });
  const show = useCallback(
    (target: number | DocumentPhase) => {
      follows.current = false;
      latest.current();
      if (typeof target === 'number') setPicked(target);
      const id = typeof target === 'number' ? sectionId(target) : phaseId(target);
      // Behind a tab it is drawn first.
      requestAnimationFrame(() => {
        bring(id, typeof target === 'number' ? 'nearest' : 'start');
      });
    },
    [bring],
  );
  return { selected, select, show };
}
