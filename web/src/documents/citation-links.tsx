import { use } from 'react';
import type { ComponentProps } from 'react';
import type { ExtraProps } from 'react-markdown';
import { documentPath, Link } from '../router.js';
import { CitationsContext } from '../markdown/citations.js';

/** The sections that a mark cites, each a way to it. */
export function CitationLinks({ node, children }: ComponentProps<'cite'> & ExtraProps) {
  const cited = use(CitationsContext);
  const sections = String(node?.properties.dataSections ?? '')
    .split(' ')
    .filter(Boolean)
    .map(Number);
  if (!cited || sections.length === 0) return <>{children}</>;
  return (
    <cite className="cites">
      {sections.map((index) => (
        <Link
          key={index}
          className="citation"
          href={documentPath(cited.documentId, index)}
          aria-label={`Section ${index + 1} of the document`}
        >
          §{index + 1}
        </Link>
      ))}
    </cite>
  );
}
