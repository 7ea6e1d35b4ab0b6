import fc from 'fast-check';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, test } from 'vitest';
import { Markdown } from '../../../web/src/markdown/markdown.js';
import { splitBlocks } from '../../../web/src/markdown/split-blocks.js';

const render = (text: string, writing = false) =>
  renderToStaticMarkup(createElement(Markdown, { text, writing }));

describe('splitting Markdown into blocks', () => {
  test('cuts at the top level, and loses nothing', () => {
    const text = '# Title\n\nText\n\n```js\nlet a;\n\nlet b;\n```\n\n- one\n- two\n';
    expect(splitBlocks(text).join('')).toBe(text);
    expect(splitBlocks(text).filter((block) => block.trim())).toHaveLength(4);
  });

  test('leaves settled blocks as they are while text is appended', () => {
    const before = splitBlocks('First.\n\nSecond');
    const after = splitBlocks('First.\n\nSecond and more');
    expect(after.slice(0, -1)).toEqual(before.slice(0, -1));
  });

  test('finds the same blocks piece by piece as at once', () => {
    const parts = [
      'Text.\n\n',
      '- one\n\n- two\n',
      '  more\n',
      '1. a\n   - b\n\n',
      '> quoted\n',
      '```js\nlet a;\n\n',
      '```\n\n',
      '# Title\n',
      'Title\n===\n',
      '| a |\n| - |\n| 1 |\n\n',
      '<b>\n\n',
      '    code\n\n',
      '---\n',
    ];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...parts), { maxLength: 25 }),
        fc.integer({ min: 1, max: 9 }),
        (drawn, step) => {
          const text = drawn.join('');
          let blocks: string[] = [];
          for (let end = step; end < text.length + step; end += step) {
            blocks = splitBlocks(text.slice(0, end), blocks);
            expect(blocks).toEqual(splitBlocks(text.slice(0, end)));
          }
        },
      ),
    );
  });

  test('keeps a text whole whose links are defined elsewhere in it', () => {
    const text = 'See [here].\n\n[here]: https://example.com\n';
    expect(splitBlocks(text)).toEqual([text]);
    expect(render(text)).toContain('href="https://example.com"');
  });
});

describe('Markdown of a model', () => {
  test('shows raw HTML as text', () => {
    const html = render(
      'Before <img src=x onerror=alert(1)> <script>alert(1)</script>\n\n<iframe src="//x"></iframe>',
    );
    expect(html).not.toMatch(/<(img|script|iframe)/);
    expect(html).toContain('&lt;script&gt;');
  });

  test('drops images', () => {
    expect(render('![tracker](https://example.com/pixel.png)')).not.toContain('<img');
  });

  test('links to http, https and mailto alone', () => {
    expect(render('[a](https://example.com)')).toContain(
      '<a href="https://example.com" target="_blank" rel="noopener noreferrer nofollow">a</a>',
    );
    expect(render('[a](mailto:ada@example.com)')).toContain('href="mailto:ada@example.com"');
    for (const url of ['javascript:alert(1)', 'data:text/html,x', 'vbscript:x', '/admin', '//evil.example']) {
      const html = render(`[words](${url})`);
      expect(html).not.toContain('href');
      expect(html).toContain('words');
    }
  });

  test('gives code its language, its file and no caret of its own once it is whole', () => {
    const html = render('```ts export.ts\nlet a = 1;\n```');
    expect(html).toContain('<span>TypeScript</span>');
    expect(html).toContain('<span class="code-file">export.ts</span>');
    expect(html).not.toContain('data-caret');
  });
});

describe('Markdown that is being written', () => {
  test('shows an open fence as code and half-open emphasis as emphasis', () => {
    expect(render('```ts\nlet a', true)).toMatch(/<pre[^>]*><code[^>]*>let a<\/code><\/pre>/);
    expect(render('This is **bo', true)).toContain('<strong>bo</strong>');
    expect(render('Call `res.wri', true)).toContain('<code>res.wri</code>');
  });

  test('shows the words of a link whose address is not whole', () => {
    const html = render('See [the manual](https://exa', true);
    expect(html).toContain('the manual');
    expect(html).not.toContain('](');
  });

  test('draws one caret, in the element of the last word', () => {
    expect(render('One.\n\nTwo', true)).toBe(
      '<div class="markdown"><p>One.</p><p data-caret="">Two</p></div>',
    );
    expect(render('- a\n- b\n  - c', true)).toContain('<li data-caret="">c</li>');
    expect(render('Ends in *emphasis*', true)).toContain('<p data-caret="">');
    expect(render('```js\nlet a;\n', true)).toContain('data-caret="">let a;</code>');
  });

  test('draws exactly one caret at every length of a text with all kinds of blocks', () => {
    const text =
      '# Title\n\nText with **bold** and `code`.\n\n- one\n- two\n\n1. a\n   - b\n\n> quoted\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n```js\nlet a;\n```\n\nEnd.';
    fc.assert(
      fc.property(fc.integer({ min: 3, max: text.length }), (length) => {
        const carets = render(text.slice(0, length), true).match(/data-caret/g) ?? [];
        expect(carets.length).toBeLessThanOrEqual(1);
        if (/\w$/.test(text.slice(0, length))) expect(carets).toHaveLength(1);
      }),
    );
  });
});
