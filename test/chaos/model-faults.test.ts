import { expect, test } from 'vitest';
import { ownPort } from '../support/own-port.js';
import type { UpstreamRequest } from '../support/upstream.js';
import { about, answerOf, continuedText, setStage, watchedConversation, type Stage } from './stage.js';

const faults: Record<string, (request: UpstreamRequest) => unknown> = {
  'cut off': (request) => request.cut(),
  'an error event': (request) => request.error({ type: 'overloaded_error', message: 'Overloaded' }),
  'an end without message_stop': (request) => request.end(),
};

test('an answer that breaks in the middle is gone on with, three tries in all', async () => {
  const stage = await setStage();
  await Promise.all(
    Object.entries(faults).map(async ([fault, breakOff]) => {
      const begun = await breakTwice(stage, fault, breakOff);
      begun.third.text(' a time').stop({ outputTokens: 3 });
      for (const client of begun.clients) {
        const { generation, message } = await client.ended(begun.id);
        expect(generation).toMatchObject({ status: 'completed', attempt: 1, streamed: true, error: null });
        expect(generation.usage).toMatchObject({ inputTokens: 10 + 10 + 10, outputTokens: 1 + 2 + 3 });
        expect(message?.text).toBe('Once upon a time');
        expect(client.written(begun.id)).toBe('Once upon a time');
        expect(client.of('generation.warning').map(({ code }) => code)).toEqual(['retrying', 'retrying']);
        expect(client.of('generation.reset')).toEqual([]);
      }
      expect(await answerOf(stage, begun.id)).toMatchObject([{ text: 'Once upon a time' }]);
    }),
  );
}, 60_000);

test('an answer that breaks three times has failed, and keeps its text', async () => {
  const stage = await setStage();
  await Promise.all(
    Object.entries(faults).map(async ([fault, breakOff]) => {
      const begun = await breakTwice(stage, fault, breakOff);
      begun.third.text(' a time');
      for (const client of begun.clients)
        await client.until(() => client.written(begun.id) === 'Once upon a time');
      breakOff(begun.third);
      for (const client of begun.clients) {
        const { generation, message } = await client.ended(begun.id);
        expect(generation.status).toBe('failed');
        expect(generation.error?.code).toBe(
          fault === 'an error event' ? 'provider_overloaded' : 'provider_error',
        );
        expect(message).toMatchObject({ text: 'Once upon a time', status: 'partial' });
      }
      expect(stage.upstream.requests.filter(about(fault))).toHaveLength(3);
    }),
  );
}, 60_000);

test.each([
  ['cannot be found', () => 'http://model.invalid'],
  ['refuses the connection', async () => `http://127.0.0.1:${await ownPort()}`],
])(
  'a model that %s is tried three times',
  async (_, address) => {
    const stage = await setStage({ workers: 0 });
    const { system } = stage;
    await system.add('worker', { ANTHROPIC_BASE_URL: await address() });
    const watched = await watchedConversation(stage);
    const id = await watched.ask('Hello?');
    for (const client of watched.clients) {
      const { generation, message } = await client.ended(id);
      expect(generation).toMatchObject({
        status: 'failed',
        attempt: 1,
        error: { code: 'provider_error', provider: 'anthropic', statusCode: null },
      });
      expect(message).toBeNull();
      // The third try asks for the answer as a whole.
      expect(client.of('generation.warning').map(({ code }) => code)).toEqual([
        'retrying',
        'retrying',
        'fallback_blocking',
      ]);
    }
    expect(await answerOf(stage, id)).toEqual([]);
  },
  30_000,
);

/** Lets an answer break twice, each time when its text has reached every client. */
async function breakTwice(stage: Stage, question: string, breakOff: (request: UpstreamRequest) => unknown) {
  const watched = await watchedConversation(stage);
  const { clients } = watched;
  const id = await watched.ask(question);
  const next = () => stage.upstream.nextRequest(about(question));
  const reached = async (text: string) => {
    for (const client of clients) await client.until(() => client.written(id) === text);
  };
  const first = await next();
  first.text('Once');
  await reached('Once');
  breakOff(first);
  const second = await next();
  expect(continuedText(second)).toBe('Once');
  second.text(' upon');
  await reached('Once upon');
  breakOff(second);
  const third = await next();
  expect(continuedText(third)).toBe('Once upon');
  return { ...watched, id, third };
}
