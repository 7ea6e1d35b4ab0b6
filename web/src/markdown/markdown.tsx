import { memo, use, useMemo, useRef, type ComponentProps } from 'react';
import ReactMarkdown, { type Components, type ExtraProps } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import remend from 'remend';
import { CitationsContext } from './citations.js';
import { CodeBlock } from './code-block.js';
import { rehypeCaret } from './rehype-caret.js';
import { splitBlocks } from './split-blocks.js';

interface MarkdownProps {
  text: string;
  /** Whether more text is to come: half-open marks are closed for show, and the caret stands at the end. */
  writing: boolean;
}

const remarkPlugins = [remarkGfm];

/** Markdown as it streams. Raw HTML is shown as text, images are dropped, links go to http, https and mailto alone. */
export const Markdown = memo(function Markdown({ text, writing }: MarkdownProps) {
  const before = useRef<readonly string[]>([]);
  const blocks = useMemo(() => {
    const now = splitBlocks(text, before.current);
    before.current = now;
    return now;
  }, [text]);
  const last = blocks.findLastIndex((block) => block.trim() !== '');
  return (
    <div className="markdown">
      {blocks.map((block, index) => (
        <Block key={index} text={block} writing={writing && index === last} />
      ))}
    </div>
  );
});

const Block = memo(function Block({ text, writing }: MarkdownProps) {
  const cited = use(CitationsContext);
  const rehypePlugins = useMemo(
    () => [...(writing ? [rehypeCaret] : []), ...(cited?.rehypePlugins ?? [])],
    [writing, cited],
  );
  return (
    <ReactMarkdown
      remarkPlugins={remarkPlugins}
      rehypePlugins={rehypePlugins}
      components={cited ? { ...components, cite: cited.Cite } : components}
      disallowedElements={['img']}
      urlTransform={safeUrl}
    >
      {writing ? remend(text, { linkMode: 'text-only', katex: false }) : text}
    </ReactMarkdown>
  );
});

/** Models write addresses; only those that can do no harm become links. */
export function safeUrl(url: string): string | undefined {
  try {
    return ['http:', 'https:', 'mailto:'].includes(new URL(url).protocol) ? url : undefined;
  } catch {
    return undefined;
  }
}

type Of<T extends keyof React.JSX.IntrinsicElements> = ComponentProps<T> & ExtraProps;

const components: Components = {
  a({ href, children, title }: Of<'a'>) {
    if (!href) return <>{children}</>;
    return (
      <a href={href} title={title} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
    );
  },
  pre: CodeBlock,
  table({ children }: Of<'table'>) {
    return (
      <div className="table-frame" role="region" aria-label="Table" tabIndex={0}>
        <table>{children}</table>
      </div>
    );
  },
};
