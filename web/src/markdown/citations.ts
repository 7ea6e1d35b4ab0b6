import { createContext, type ComponentProps, type ComponentType } from 'react';
import type { ExtraProps, Options } from 'react-markdown';

/** How a text cites the sections of a document. Few texts do: what draws it comes with them. */
export interface Citations {
  documentId: string;
  /** They make a `cite` of each mark. */
  rehypePlugins: NonNullable<Options['rehypePlugins']>;
  /** What is drawn in its place. */
  Cite: ComponentType<ComponentProps<'cite'> & ExtraProps>;
}

/** Null: nothing is cited. */
export const CitationsContext = createContext<Citations | null>(null);
