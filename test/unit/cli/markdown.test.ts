import fc from 'fast-check';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { cutMarkdown, plainMarkdown, terminalMarkdown } from '../../../src/cli/room/markdown.js';

test('all blocks but the last one are done', () => {
  expect(cutMarkdown('One.\n\nTwo')).toEqual({ done: 'One.\n\n', open: 'Two' });
  expect(cutMarkdown('One.\n\n```js\nlet a;\n\nlet b')).toEqual({
    done: 'One.\n\n',
    open: '```js\nlet a;\n\nlet b',
  });
  expect(cutMarkdown('- a\n- b\n')).toEqual({ done: '', open: '- a\n- b\n' });
  expect(cutMarkdown('')).toEqual({ done: '', open: '' });
});

test('what is cut is the text, whatever it is', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          'word ',
          '\n',
          '\n\n',
          '```',
          '- ',
          '# ',
          '| a | b |',
          '|---|---|',
          '> ',
          '\t',
          '\r\n',
        ),
      ),
      (parts) => {
        const { done, open } = cutMarkdown(parts.join(''));
        expect(done + open).toBe(parts.join(''));
      },
    ),
  );
});

test('on a terminal marks are shown as what they mean, open ones too; elsewhere they stay', () => {
  const view = terminalMarkdown(80);
  expect(stripVTControlCharacters(view.block('# Title\n\nSome **bold** words'))).toMatch(
    /Title\s+Some bold words\n\n$/,
  );
  expect(stripVTControlCharacters(view.openBlock('Some **bo'))).toBe('Some bo');
  expect(plainMarkdown.block('Some **bold** words')).toBe('Some **bold** words\n');
});
