import { expect, test } from 'vitest';
import { TypingNotice } from '../../../src/client/typing-notice.js';

function noticeByHand() {
  const told: boolean[] = [];
  let now = 0;
  const notice = new TypingNotice(
    (typing) => told.push(typing),
    () => now,
  );
  return { notice, told, pass: (ms: number) => (now += ms) };
}

test('tells the first keystroke, and then one every three seconds', () => {
  const { notice, told, pass } = noticeByHand();
  for (let keystroke = 0; keystroke < 70; keystroke += 1) {
    notice.set(true);
    pass(100);
  }
  expect(told).toEqual([true, true, true]);
});

test('tells the end once, and nothing when nothing was begun', () => {
  const { notice, told } = noticeByHand();
  notice.set(false);
  notice.set(true);
  notice.set(false);
  notice.set(false);
  expect(told).toEqual([true, false]);
});
