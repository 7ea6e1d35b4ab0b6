import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Chunk } from '../../../src/domain/content.js';
import type { HtmlBlock } from '../../../src/domain/generation.js';
import { HtmlStream } from '../../../workers/html-stream.js';
import { messageStart } from '../../support/arbitraries.js';

beforeAll(() => {
  vi.useFakeTimers();
});
afterAll(() => {
  vi.useRealTimers();
});

/** A stream, and what it told of with the times. */
function open() {
  const told: (HtmlBlock & { at: number })[] = [];
  const tell = (block: HtmlBlock) => {
    told.push({ ...block, at: Date.now() });
  };
  const stream = new HtmlStream({ done: tell, draw: tell });
  stream.start();
  const write = (text: string, index = 0) => {
    stream.write({ type: 'content_block_delta', index, delta: { type: 'text_delta', text } });
  };
  const done = () => told.filter((block) => block.done).map(({ block, html }) => [block, html] as const);
  return { stream, told, write, done };
}

const text = (said: string, index = 0): Chunk => ({
  type: 'content_block_delta',
  index,
  delta: { type: 'text_delta', text: said },
});
const answer = '# A\n\nSome *text*.\n\n```ts\nlet a;\n```\n\n- one\n- two\n\nThe end';
const blocks = [
  '<h1>A</h1>\n',
  '<p>Some <em>text</em>.</p>\n',
  '<pre><code class="hljs language-ts"><span class="hljs-keyword">let</span> a;\n</code></pre>\n',
  '<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n',
  '<p>The end</p>\n',
].map((html, block) => [block, html] as const);

test('a block is shown at once, again while it grows, and once more when it is done', () => {
  const { stream, told, write } = open();
  write('Some **bold');
  vi.advanceTimersByTime(0);
  write(' text**.\n');
  vi.advanceTimersByTime(1000);
  write('\nNext\n');
  vi.advanceTimersByTime(1000);
  expect(told.map(({ block, html, done }) => [block, html, done])).toEqual([
    [0, '<p>Some <strong>bold</strong></p>\n', false],
    [0, '<p>Some <strong>bold text</strong>.</p>\n', false],
    [0, '<p>Some <strong>bold text</strong>.</p>\n', true],
    [1, '<p>Next</p>\n', false],
  ]);
  stream.close();
});

test('nothing is told before the start, and then all', () => {
  const told: HtmlBlock[] = [];
  const stream = new HtmlStream({ done: (block) => told.push(block), draw: (block) => told.push(block) });
  stream.write(text('one\n\ntwo'));
  vi.advanceTimersByTime(1000);
  expect(told).toEqual([]);
  stream.start();
  vi.advanceTimersByTime(1000);
  expect(told.map(({ html }) => html)).toEqual(['<p>one</p>\n<p>two</p>\n']);
  stream.close();
});

test('nothing is told of a text that does not grow', () => {
  const { stream, told, write } = open();
  write('a');
  vi.advanceTimersByTime(10_000);
  expect(told).toHaveLength(1);
  stream.close();
});

test('no more than ten events come in a second, however fast the answer is, and all of it in the end', () => {
  const { stream, told, write, done } = open();
  const paragraphs = Array.from({ length: 60 }, (_, i) => `paragraph ${i}\n\n`);
  for (const paragraph of paragraphs) {
    for (const word of paragraph.split(/(?<= )/)) write(word);
    vi.advanceTimersByTime(50);
  }
  for (const { at } of told)
    expect(told.filter((other) => other.at >= at && other.at < at + 1000).length).toBeLessThanOrEqual(10);
  expect(told.length).toBeGreaterThan(20);
  stream.end();
  expect(done()).toEqual(paragraphs.map((paragraph, i) => [i, `<p>${paragraph.trim()}</p>\n`]));
});

test('the blocks that are done are the same however and whenever the text comes', () => {
  const cuttings = fc.array(fc.record({ length: fc.nat({ max: 9 }), ms: fc.nat({ max: 200 }) }), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(cuttings, (cutting) => {
      const { stream, write, done } = open();
      let at = 0;
      for (const { length, ms } of cutting) {
        write(answer.slice(at, at + length));
        at += length;
        vi.advanceTimersByTime(ms);
      }
      write(answer.slice(at));
      stream.end();
      expect(done()).toEqual(blocks);
    }),
  );
});

test('another attempt goes on where one was left, and tells of no block twice', () => {
  fc.assert(
    fc.property(fc.nat({ max: answer.length }), fc.nat({ max: 2000 }), (cut, ms) => {
      const first = open();
      first.write(answer.slice(0, cut));
      vi.advanceTimersByTime(ms);
      first.stream.leave();
      const second = open();
      second.stream.resume([text(answer.slice(0, cut))], first.told);
      second.write(answer.slice(cut));
      second.stream.end();
      expect([...first.done(), ...second.done()]).toEqual(blocks);
    }),
  );
});

test('what is left is shown as it stands, not as done', () => {
  const { stream, told, write } = open();
  write('one\n\ntwo\n\nthr');
  stream.leave();
  vi.advanceTimersByTime(1000);
  expect(told.map(({ block, html, done }) => [block, html, done])).toEqual([
    [0, '<p>one</p>\n', false],
    [1, '<p>two</p>\n<p>thr</p>\n', false],
  ]);
});

test('texts around a call of a tool have blocks of their own, thinking has none', () => {
  const { stream, done } = open();
  stream.write({ type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm.' } });
  stream.write(text('- one', 1));
  stream.write({ type: 'content_block_stop', index: 1 });
  stream.write({
    type: 'content_block_delta',
    index: 2,
    delta: { type: 'input_json_delta', partial_json: '{}' },
  });
  stream.write({ type: 'content_block_stop', index: 2 });
  stream.write(text('- two', 3));
  stream.end();
  expect(done()).toEqual([
    [0, '<ul>\n<li>one</li>\n</ul>\n'],
    [1, '<ul>\n<li>two</li>\n</ul>\n'],
  ]);
});

test.each([
  [
    'is reset',
    (stream: HtmlStream) => {
      stream.reset();
    },
  ],
  [
    'begins anew',
    (stream: HtmlStream) => {
      stream.write(messageStart);
    },
  ],
])('an answer that %s begins with block 0', (_, startOver) => {
  const { stream, told, write, done } = open();
  write('wrong\n\nwronger\n\nwro');
  vi.advanceTimersByTime(1000);
  told.length = 0;
  startOver(stream);
  write('right');
  stream.end();
  expect(done()).toEqual([[0, '<p>right</p>\n']]);
});

test('what was shown and then turns out to be nothing is taken back', () => {
  const { stream, told, write } = open();
  write('[a]: https');
  vi.advanceTimersByTime(1000);
  expect(told.at(-1)?.html).toContain('https');
  write('://b.example\n');
  stream.end();
  expect(told.at(-1)).toMatchObject({ block: 0, html: '', done: true });
});

test('a long block is shown less often', () => {
  const countOf = (length: number) => {
    const { stream, told, write } = open();
    write(`\`\`\`\n${'x\n'.repeat(length)}`);
    for (let ms = 0; ms < 10_000; ms += 10) {
      write('y');
      vi.advanceTimersByTime(10);
    }
    stream.close();
    return told.length;
  };
  const short = countOf(1);
  expect(short).toBeGreaterThan(80);
  expect(countOf(5000)).toBeLessThanOrEqual(short);
});
