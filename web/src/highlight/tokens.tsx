import type { Line } from './highlighter.js';

/** The tokens of one line in their colours. */
export const Tokens = ({ line }: { line: Line }) =>
  line.map(({ text, kind }, index) =>
    kind ? (
      <span key={index} className={`tok-${kind}`}>
        {text}
      </span>
    ) : (
      text
    ),
  );
