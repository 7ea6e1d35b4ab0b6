import { expect, test } from 'vitest';
import { createLogger } from '../../../src/lib/logger.js';
import type { RoomLog } from '../../../src/redis/room-log.js';
import { readTranscript } from '../../../src/redis/transcript.js';
import { LogWriter } from '../../../workers/log-writer.js';

const log = createLogger({ level: 'silent', role: 'test' });
/** More than lie between the answer of an append and the rest of what it sets off. */
const microtasks = 30;

function writerOn(roomLog: Partial<RoomLog>): LogWriter {
  return new LogWriter({
    roomLog: roomLog as RoomLog,
    room: 'conversation:1',
    generationId: 'g',
    messageId: 'm',
    attempt: 1,
    flush: { by: 'time', ms: 0 },
    render: undefined,
    confirm: () => Promise.resolve('current'),
    onStop: () => undefined,
    log,
  });
}

test('what is written at whatever moment of an append is sent', async () => {
  for (let ticks = 0; ticks < microtasks; ticks += 1) {
    const answers: (() => void)[] = [];
    let transcript = '';
    const writer = writerOn({
      open: () => Promise.resolve({ status: 'ok', transcript: '' }),
      append: (request) => {
        transcript += request.transcript;
        return new Promise((resolve) => {
          answers.push(() => {
            resolve('ok');
          });
        });
      },
    });
    const say = (text: string) => {
      writer.write({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
    };
    await writer.open({ parts: [], usage: null }, new AbortController().signal);
    say('a');
    await expect.poll(() => answers.length).toBe(1);
    answers[0]?.();
    for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
    say('b');
    await expect.poll(() => answers.length, { message: `after ${ticks} microtasks` }).toBe(2);
    answers[1]?.();
    await writer.drain(1000);
    writer.close();
    const text = readTranscript(transcript).parts.map((part) =>
      part.type === 'content_block_delta' && part.delta.type === 'text_delta' ? part.delta.text : '',
    );
    expect(text.join('')).toBe('ab');
  }
});

test('behind what cannot be sent comes nothing more', async () => {
  let transcript = '';
  const writer = writerOn({
    open: () => Promise.resolve({ status: 'ok', transcript: '' }),
    append: (request) => {
      transcript += request.transcript;
      return Promise.resolve('ok');
    },
  });
  await writer.open({ parts: [], usage: null }, new AbortController().signal);
  const say = async (citation: unknown) => {
    writer.write({ type: 'content_block_delta', index: 0, delta: { type: 'citations_delta', citation } });
    await writer.drain(1000);
  };
  await say('first');
  await say(1n);
  await say('third');
  expect(transcript).toContain('first');
  expect(transcript).not.toContain('third');
});
