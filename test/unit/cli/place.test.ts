import { expect, test } from 'vitest';
import { parsePlace } from '../../../src/cli/place.js';

const id = '01a202f0-b11f-771c-91bb-3d2371759263';

test.each([
  [`conversation:${id}`, { kind: 'conversation', id }],
  [`document:${id}`, { kind: 'document', id }],
  [`generation:${id}`, { kind: 'generation', id }],
  [id, { kind: 'id', id }],
  [`https://chat.example.com/c/${id}`, { kind: 'conversation', id }],
  [`http://127.0.0.1:3000/documents/${id}#section-2`, { kind: 'document', id }],
  [
    'http://127.0.0.1:3000/invite/hY5HVFs404GI4S7gB6AYtH9PhlCXUTma',
    { kind: 'invite', id: 'hY5HVFs404GI4S7gB6AYtH9PhlCXUTma' },
  ],
  ['/invite/abc', { kind: 'invite', id: 'abc' }],
])('%s names a place', (text, place) => {
  expect(parsePlace(text)).toEqual(place);
});

test.each(['', 'room', 'user:ada', 'conversation:1', 'https://chat.example.com/', `message:${id}`])(
  '%j names none, which is said',
  (text) => {
    expect(() => parsePlace(text)).toThrow('is no room: give conversation:<id>');
  },
);
