import type { Parser } from '@lezer/common';
import { memo, useMemo } from 'react';
import { Highlighter, type Line } from './highlighter.js';
import { Tokens } from './tokens.js';

/** Code in its colours. While it grows only the lines that changed are drawn anew. */
export default function HighlightedCode({ code, parser }: { code: string; parser: Parser }) {
  const highlighter = useMemo(() => new Highlighter(parser), [parser]);
  return highlighter
    .lines(code)
    .map((line, index) => <CodeLine key={index} line={line} first={index === 0} />);
}

const CodeLine = memo(function CodeLine({ line, first }: { line: Line; first: boolean }) {
  return (
    <>
      {!first && '\n'}
      <Tokens line={line} />
    </>
  );
});
