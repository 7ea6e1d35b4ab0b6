import fc from 'fast-check';
import { parseFragment, type DefaultTreeAdapterTypes } from 'parse5';
import { describe, expect, test } from 'vitest';
import { renderMarkdown } from '../../../workers/markdown-html.js';

type Node = DefaultTreeAdapterTypes.ChildNode;

const elements = new Set(
  'p h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code em strong s a br hr table thead tbody tr th td span'.split(
    ' ',
  ),
);
const attributes: Record<string, RegExp> = {
  'a href': /^(https?:\/\/|mailto:)/i,
  'a title': /^/,
  'a target': /^_blank$/,
  'a rel': /^noopener noreferrer nofollow$/,
  'ol start': /^\d+$/,
  'code class': /^(hljs( language-[\w+#.-]+)?)?$/,
  'span class': /^(hljs-[\w-]+|language-[\w-]+)( \w+_)*$/,
  'th class': /^align-(left|center|right)$/,
  'td class': /^align-(left|center|right)$/,
};

/** What a browser makes of it that it should not: empty where all is well. */
function dangersOf(html: string): string[] {
  const look = (node: Node): string[] => {
    if (node.nodeName === '#text') return [];
    if (!('tagName' in node)) return [node.nodeName];
    const wrong = node.attrs
      .filter(({ name, value }) => !attributes[`${node.tagName} ${name}`]?.test(value))
      .map(({ name, value }) => `${node.tagName} ${name}=${value}`);
    const own = elements.has(node.tagName) ? wrong : [node.tagName, ...wrong];
    return [...own, ...node.childNodes.flatMap(look)];
  };
  return parseFragment(html).childNodes.flatMap(look);
}

const hrefsOf = (html: string) => Array.from(html.matchAll(/href="([^"]*)"/g), ([, href]) => href);

describe('what is written as Markdown', () => {
  test.each([
    ['headings', '## A *title*', '<h2>A <em>title</em></h2>\n'],
    ['paragraphs', 'one\ntwo', '<p>one\ntwo</p>\n'],
    ['lists', '- a\n- b', '<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n'],
    ['code', 'Call `a<b>`', '<p>Call <code>a&lt;b&gt;</code></p>\n'],
    ['deletions', '~~a~~', '<p><s>a</s></p>\n'],
    [
      'tables',
      'a|b\n-|:-:\n1|2',
      '<table>\n<thead>\n<tr>\n<th>a</th>\n<th class="align-center">b</th>\n</tr>\n</thead>\n' +
        '<tbody>\n<tr>\n<td>1</td>\n<td class="align-center">2</td>\n</tr>\n</tbody>\n</table>\n',
    ],
    [
      'links',
      '[a](https://b.example "c")',
      '<p><a href="https://b.example" title="c" target="_blank" rel="noopener noreferrer nofollow">a</a></p>\n',
    ],
    [
      'highlighted code',
      '```ts\nconst a = 1;\n```',
      '<pre><code class="hljs language-ts"><span class="hljs-keyword">const</span> a = ' +
        '<span class="hljs-number">1</span>;\n</code></pre>\n',
    ],
    [
      'code in an unknown language',
      '```Brainfuck\n+<\n```',
      '<pre><code class="hljs language-brainfuck">+&lt;\n</code></pre>\n',
    ],
    ['code without a language', '```\na<\n```', '<pre><code class="hljs">a&lt;\n</code></pre>\n'],
  ])('is shown: %s', (_, source, html) => {
    expect(renderMarkdown(source)).toBe(html);
  });

  test.each(['https://a.example', 'http://a.example/?b=c&d', 'mailto:a@b.example', 'HTTPS://A.example'])(
    'links to %s',
    (url) => {
      expect(hrefsOf(renderMarkdown(`[a](${url}) <${url}>`))).toHaveLength(2);
    },
  );
});

describe('what could harm', () => {
  test.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<svg/onload=alert(1)>',
    '<svg><script>alert(1)</script></svg>',
    '<iframe srcdoc="<script>alert(1)</script>">',
    '<a href="javascript:alert(1)">a</a>',
    '<style>*{background:url(//x)}</style>',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<!-- --><p onclick=alert(1)>',
    '<div\n onmouseover=alert(1)>',
    '&lt;script&gt;alert(1)&lt;/script&gt;',
  ])('is shown as text: %s', (source) => {
    const html = renderMarkdown(source);
    expect(dangersOf(html)).toEqual([]);
    expect(html).not.toMatch(/<(?!\/?p>)/);
  });

  test.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'javascript&colon;alert(1)',
    'javascript&#58;alert(1)',
    '&#106;avascript:alert(1)',
    '&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A;alert(1)',
    'java&Tab;script:alert(1)',
    'java&NewLine;script:alert(1)',
    '\\javascript:alert(1)',
    '%6Aavascript:alert(1)',
    'vbscript:msgbox(1)',
    'data:text/html,<script>alert(1)</script>',
    'data:image/svg+xml;base64,PHN2Zy8+',
    'file:///etc/passwd',
    'blob:a/1',
    'ftp://a.example',
    '//a.example',
    '/admin',
    '#top',
    '\u0001javascript:alert(1)',
    'https:javascript:alert(1)',
  ])('is no link: %s', (url) => {
    for (const source of [
      `[a](${url})`,
      `[a](<${url}>)`,
      `<${url}>`,
      `[a][b]\n\n[b]: ${url}`,
      `![a](${url})`,
    ]) {
      const html = renderMarkdown(source);
      expect(dangersOf(html)).toEqual([]);
      expect(hrefsOf(html)).toEqual([]);
    }
  });

  test.each([
    '[a](https://b.example "c\\" onclick=\\"alert(1)")',
    '[a](https://b.example/"onclick="alert(1))',
    '[a](https://b.example \'c" onclick="alert(1)\')',
    '[a](https://b.example/&quot;onclick=&quot;alert(1))',
    '```js" onclick="alert(1)\ncode\n```',
    '```"><script>alert(1)</script>\ncode\n```',
    '```js\n</code></pre><script>alert(1)</script>\n```',
    '```html\n<script>alert("</code><img src=x onerror=alert(1)>")</script>\n```',
    '`</code><script>alert(1)</script>`',
    'a|b\n-|-\n<img src=x onerror=alert(1)>|"onclick=alert(1)',
    '![a" onerror="alert(1)](https://b.example/c.png)',
    '[<img src=x onerror=alert(1)>](https://b.example)',
    'https://b.example/"onmouseover="alert(1)',
    '1000000000000. a',
    '1"onclick="alert(1). a',
  ])('does not break out of its place: %s', (source) => {
    const html = renderMarkdown(source);
    expect(dangersOf(html)).toEqual([]);
    expect(parseFragment(html).childNodes.length).toBeGreaterThan(0);
  });

  test.each([
    ['![a *cat*](https://b.example/c.png)', '<p>a cat</p>\n'],
    ['![<b>](https://b.example/c.png)', '<p>&lt;b&gt;</p>\n'],
    ['![a][b]\n\n[b]: https://b.example/c.png', '<p>a</p>\n'],
  ])('is dropped: the image of %s', (source, html) => {
    expect(renderMarkdown(source)).toBe(html);
  });
});

const fragment = fc.oneof(
  fc.constantFrom(
    ...[
      '<',
      '>',
      '"',
      "'",
      '`',
      '```',
      '~~~',
      '\n',
      '\n\n',
      '[',
      ']',
      '(',
      ')',
      '!',
      '&',
      ';',
      ':',
      '|',
      '\\',
      '/',
      '=',
    ],
    ...[
      'javascript:',
      'https://',
      'a.example',
      '<script>',
      '</pre>',
      '<svg',
      'onload=',
      '&quot;',
      '&#106;',
      '&colon;',
    ],
    ...[
      '```html\n',
      '```js\n',
      '```css\n',
      '```"x',
      '- ',
      '1. ',
      '> ',
      '    ',
      'a|b\n-|-\n',
      '![',
      '](',
      '[b]: ',
      '**',
      '_',
    ],
    ...['alert(1)', 'data:', '//', ' "t"', '<!--', '-->', '\t', '\u0000', '\u2028', 'mailto:'],
  ),
  fc.string({ maxLength: 3 }),
);

test('whatever is written, browsers make nothing of it but what Markdown knows', () => {
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 30 }), (fragments) => {
      expect(dangersOf(renderMarkdown(fragments.join('')))).toEqual([]);
    }),
    { numRuns: 3000 },
  );
});

test('the look for dangers finds them', () => {
  for (const html of [
    '<script></script>',
    '<a href="javascript:x">',
    '<p onclick="x">',
    '<img src="x">',
    '<span style="x">',
    '<!-- -->',
    '<code class="hljs x">',
  ])
    expect(dangersOf(html)).not.toEqual([]);
});
