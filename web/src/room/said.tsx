import { lazy, memo, Suspense } from 'react';
import { splitFences } from '../markdown/fences.js';

const CodeFigure = lazy(() =>
  import('../markdown/code-figure.js').then((made) => ({ default: made.CodeFigure })),
);

/** What a person wrote, as they wrote it; code in fences stands as code. */
export const Said = memo(function Said({ text, unsent = false }: { text: string; unsent?: boolean }) {
  const look = unsent ? 'said unsent' : 'said';
  if (!/^ {0,3}(```|~~~)/m.test(text)) return <p className={look}>{text}</p>;
  return splitFences(text).map((piece, index) =>
    piece.kind === 'text' ? (
      <p key={index} className={look}>
        {piece.text}
      </p>
    ) : (
      <Suspense key={index} fallback={<p className={look}>{piece.code}</p>}>
        <CodeFigure code={piece.code} fence={piece.fence} file={piece.file} />
      </Suspense>
    ),
  );
});
