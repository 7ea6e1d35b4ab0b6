import { expect, test } from 'vitest';
import { UiMessageStream } from '../../../../src/api/ai-sdk/ui-message-stream.js';
import type { GenerationEvent } from '../../../../src/wire/stream-dialect.js';

const event = (type: string, payload: object = {}) =>
  ({ type, at: '', ...payload }) as unknown as GenerationEvent;

const snapshot = event('snapshot', { snapshot: { generation: { id: 'g', options: {}, content: [] } } });

test('frames are data alone, and [DONE] is the last of them', () => {
  const stream = new UiMessageStream({ messageId: 'm' });
  expect(stream.tell(snapshot)).toMatch(/^data: {"type":"start","messageId":"m".*}\n\n$/);
  expect(stream.tell(event('typing'))).toBe('');
  expect(stream.over).toBe(false);
  const end = event('generation.completed', { generation: { status: 'completed' }, message: null });
  expect(stream.tell(end)).toMatch(/^data: {"type":"finish".*}\n\ndata: \[DONE\]\n\n$/);
  expect(stream.over).toBe(true);
  expect(stream.tell(snapshot)).toBe('');
  expect(stream.farewell()).toBe('');
});

test('a stream that has to end early says why, or breaks off', () => {
  const stream = new UiMessageStream({ messageId: 'm' });
  stream.tell(snapshot);
  expect(stream.farewell()).toBeUndefined();
  expect(stream.farewell('session.expired')).toMatch(
    /^data: {"type":"error".*expired.*}\n\ndata: \[DONE\]\n\n$/,
  );
});
