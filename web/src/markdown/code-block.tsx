import type { ComponentProps } from 'react';
import type { ExtraProps } from 'react-markdown';
import { CodeFigure } from './code-figure.js';

/** A code block of Markdown: its fence names the language and, behind it, the file. */
export function CodeBlock({ node }: ComponentProps<'pre'> & ExtraProps) {
  const code = node?.children.find((child) => child.type === 'element');
  const classes = code?.properties.className;
  const fence = (Array.isArray(classes) ? classes : [])
    .map(String)
    .find((name) => name.startsWith('language-'))
    ?.slice('language-'.length);
  const file = code?.data?.meta?.trim().split(/\s+/, 1)[0];
  const whole = code?.children.map((child) => (child.type === 'text' ? child.value : '')).join('') ?? '';
  return (
    <CodeFigure
      code={whole.replace(/\n$/, '')}
      fence={fence}
      file={file}
      caret={code?.properties.dataCaret === ''}
    />
  );
}
