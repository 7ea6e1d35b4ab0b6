import { describe, expect, test } from 'vitest';
import type { RoomEvent, RoomEventOf } from '../../../src/wire/room-events.js';
import { checkHistories } from '../../chaos/checker/check-history.js';
import type { ClientHistory, ViolationKind } from '../../chaos/checker/history.js';

const room = 'conversation:c';
const at = '2026-01-01T00:00:00.000Z';
const answer = 'Once upon a time';
const expected = new Map([['g', { text: answer }]]);

/** Only what the checker looks at. */
const event = (fields: object) => ({ room, at, ...fields }) as unknown as RoomEvent;

const snapshot = (cursor: string, text?: string) =>
  event({
    type: 'snapshot',
    cursor,
    snapshot: {
      messages: [],
      generations:
        text === undefined ? [] : [{ id: 'g', status: 'running', content: [{ type: 'text', text }] }],
    },
  });
const queued = event({ type: 'generation.queued', cursor: '1-0', generationId: 'g' });
const begun = event({
  type: 'generation.chunk',
  cursor: '2-0',
  generationId: 'g',
  chunk: { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
});
const delta = (cursor: string, text: string) =>
  event({
    type: 'generation.chunk',
    cursor,
    generationId: 'g',
    chunk: { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
  });
const completed = (cursor: string, text = answer) =>
  event({
    type: 'generation.completed',
    cursor,
    generationId: 'g',
    generation: { status: 'completed' },
    message: { text },
  }) as RoomEventOf<'generation.completed'>;
/** Given up, with this text; null: nothing of it was kept. */
const failed = (cursor: string, text: string | null) =>
  event({
    type: 'generation.failed',
    cursor,
    generationId: 'g',
    generation: { status: 'failed' },
    message: text === null ? null : { text },
  });

/** One who was there all the time, one who came in the middle, one who was slow and got its deltas joined. */
const whole = [
  snapshot('0-1'),
  queued,
  begun,
  delta('3-0', 'Once'),
  delta('3-1', ' upon'),
  delta('4-0', ' a time'),
  completed('5-0'),
];
const late = [snapshot('3-0', 'Once'), delta('3-1', ' upon'), delta('4-0', ' a time'), completed('5-0')];
const slow = [snapshot('0-1'), queued, begun, delta('4-0', answer), completed('5-0')];

const history = (client: string, seen: RoomEvent[]): ClientHistory => ({
  client,
  room,
  events: seen,
  early: [],
});

const check = (events: RoomEvent[], early: RoomEvent[] = []) => {
  return checkHistories(
    [history('whole', whole), history('late', late), { ...history('the other', events), early }],
    expected,
  ).map(({ client, kind }) => ({ client, kind }));
};

test('who was there, who came late and who was slow agree', () => {
  expect(check(slow)).toEqual([]);
});

test('a snapshot may know of an end that the log has still to tell', () => {
  const ahead = event({
    type: 'snapshot',
    cursor: '3-0',
    snapshot: { messages: [{ generationId: 'g', text: answer }], generations: [] },
  });
  expect(check([ahead, delta('3-1', ' upon'), delta('4-0', ' a time'), completed('5-0')])).toEqual([]);
});

test('a snapshot begins anew, and what comes behind it may come again', () => {
  expect(check([...whole, snapshot('3-0', 'Once'), ...late.slice(1)])).toEqual([]);
});

describe('the checker finds', () => {
  const without = (i: number) => whole.toSpliced(i, 1);
  const swapped = whole.toSpliced(4, 2, delta('4-0', ' a time'), delta('3-1', ' upon'));

  test.each<[string, ViolationKind, RoomEvent[]]>([
    ['two texts in the wrong order', 'order', swapped],
    ['a text that was lost', 'text', without(4)],
    [
      'a text that was lost at the end',
      'disagreement',
      [...whole.slice(0, 5), delta('4-0', ' a'), completed('5-0')],
    ],
    ['an entry that was lost', 'loss', without(2)],
    ['the announcement that was lost', 'loss', without(1)],
    ['an entry that came twice', 'double', whole.toSpliced(4, 0, delta('3-0', 'Once'))],
    ['a text that came twice under another cursor', 'text', whole.toSpliced(3, 0, delta('2-1', 'Once'))],
    ['a letter that was changed', 'text', whole.toSpliced(3, 1, delta('3-0', 'onco'))],
    [
      'other texts at one cursor',
      'disagreement',
      [snapshot('3-0', 'Onc'), delta('3-1', 'e upon'), ...late.slice(2)],
    ],
    ['an end that never came', 'end', whole.slice(0, -1)],
    ['a second end', 'end', [...whole, completed('6-0')]],
    ['a text behind the end', 'end', [...whole, delta('6-0', '!')]],
    ['an end without the whole text', 'loss', whole.toSpliced(-1, 1, completed('5-0', 'Once upon a'))],
    ['an event before any snapshot', 'early', whole.slice(1)],
  ])('%s', (_what, kind, events) => {
    expect(check(events)).toContainEqual({ client: 'the other', kind });
  });

  test('an event that came before the ack of its join', () => {
    expect(check(whole, [queued])).toEqual([{ client: 'the other', kind: 'early' }]);
  });

  test('an entry that all clients but one have', () => {
    const warning = event({ type: 'generation.warning', cursor: '3-2', generationId: 'g' });
    const warned = whole.toSpliced(5, 0, warning);
    const violations = check(warned);
    expect(violations).toContainEqual({ client: 'whole', kind: 'loss' });
    expect(violations).toContainEqual({ client: 'late', kind: 'loss' });
    expect(violations).not.toContainEqual(expect.objectContaining({ client: 'the other' }));
  });

  test('snapshots of one cursor that show the same text in other blocks', () => {
    const cut = event({
      type: 'snapshot',
      cursor: '3-0',
      snapshot: {
        messages: [],
        generations: [
          { id: 'g', status: 'running', content: ['On', 'ce'].map((text) => ({ type: 'text', text })) },
        ],
      },
    });
    expect(check([cut, ...late.slice(1)])).toEqual([{ client: 'the other', kind: 'disagreement' }]);
  });

  test('a snapshot that does not show yet what another of its cursor shows', () => {
    expect(check([snapshot('3-0', ''), snapshot('3-0', 'Once'), ...late.slice(1)])).toContainEqual({
      client: 'the other',
      kind: 'disagreement',
    });
  });

  describe('of an answer that was given up', () => {
    const partial = new Map([['g', { text: answer, mayEndEarly: true }]]);
    const written = whole.slice(0, 4);
    const kinds = (...seen: RoomEvent[][]) =>
      checkHistories(
        seen.map((events, i) => history(String(i), events)),
        partial,
      ).map(({ kind }) => kind);

    test('nothing, where all that was seen is kept', () => {
      const ended = [...written, failed('5-0', 'Once upon')];
      expect(kinds(ended, ended)).toEqual([]);
    });

    test('a text that the model has not sent', () => {
      expect(kinds([...written, failed('5-0', 'Once more')])).toEqual(['text']);
    });

    test('that nothing is kept of what was seen', () => {
      expect(kinds([...written, failed('5-0', null)])).toEqual(['loss']);
    });

    test('that clients are told different texts', () => {
      const ends = ['Once', 'Once upon'].map((text) => [...written, failed('5-0', text)]);
      expect(kinds(...ends)).toEqual(['disagreement']);
    });
  });
});
