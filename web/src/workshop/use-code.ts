import { useMemo } from 'react';
import { Highlighter, type Line } from '../highlight/highlighter.js';
import { outlineOf, type OutlineEntry } from '../highlight/outline.js';
import { useParser } from '../highlight/use-parser.js';

interface ReadCode {
  lines: readonly Line[];
  outline: readonly OutlineEntry[];
}

/** Code in lines of tokens, and what it defines. Without a parser the lines are plain. */
export function useCode(code: string, fence: string | undefined): ReadCode {
  const parser = useParser(fence);
  const highlighter = useMemo(() => parser && new Highlighter(parser), [parser]);
  return useMemo(() => {
    if (!highlighter) {
      const lines = code.split('\n').map((text) => (text ? [{ text, kind: '' }] : []));
      return { lines, outline: [] };
    }
    const lines = highlighter.lines(code);
    return { lines, outline: highlighter.tree ? outlineOf(highlighter.tree, code) : [] };
  }, [highlighter, code]);
}
