import { lazy, Suspense } from 'react';
import { languageName } from '../highlight/languages.js';
import { useParser } from '../highlight/use-parser.js';
import { CopyButton } from '../ui/copy-button.js';

const HighlightedCode = lazy(() => import('../highlight/highlighted-code.js'));

interface CodeFigureProps {
  code: string;
  /** The language, as its fence names it. */
  fence: string | undefined;
  file?: string | undefined;
  /** Whether the caret stands behind it: it is being written. */
  caret?: boolean;
}

/** Code with its language, its file where that is known, and a button that copies it. */
export function CodeFigure({ code, fence, file, caret = false }: CodeFigureProps) {
  const parser = useParser(fence);
  return (
    <figure className="code-block">
      <figcaption>
        <span>{languageName(fence)}</span>
        {file && <span className="code-file">{file}</span>}
        <CopyButton text={code} label="Copy code" />
      </figcaption>
      <pre tabIndex={0}>
        <code data-caret={caret ? '' : undefined}>
          {parser ? (
            <Suspense fallback={code}>
              <HighlightedCode code={code} parser={parser} />
            </Suspense>
          ) : (
            code
          )}
        </code>
      </pre>
    </figure>
  );
}
