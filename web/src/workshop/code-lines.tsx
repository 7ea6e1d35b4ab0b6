import { memo } from 'react';
import type { Line } from '../highlight/highlighter.js';
import { Tokens } from '../highlight/tokens.js';

interface CodeLinesProps {
  lines: readonly Line[];
  /** From which line on, from 1, it is being written; null: it is written. */
  liveFrom: number | null;
  /** Whether the caret stands behind it. */
  caret: boolean;
}

/** Code with the numbers of its lines, and the line along them: green beside what is being written. */
export function CodeLines({ lines, liveFrom, caret }: CodeLinesProps) {
  return (
    <ol className="code-lines">
      {lines.map((line, index) => (
        <CodeLine
          key={index}
          line={line}
          number={index + 1}
          live={liveFrom !== null && index + 1 >= liveFrom}
          caret={caret && index === lines.length - 1}
        />
      ))}
    </ol>
  );
}

interface CodeLineProps {
  line: Line;
  number: number;
  live: boolean;
  caret: boolean;
}

const CodeLine = memo(function CodeLine({ line, number, live, caret }: CodeLineProps) {
  return (
    <li data-live={live} data-line={number} data-text={number}>
      <span data-caret={caret ? '' : undefined}>
        <Tokens line={line} />
      </span>
    </li>
  );
});
