import { describe, expect, test } from 'vitest';
import { TokencastError } from '../../../src/client/index.js';
import { Outbox } from '../../../web/src/room/outbox.js';
import { message } from '../client/sample.js';

/** An outbox whose sending the test settles by hand. */
function outboxByHand() {
  const sent: { content: string; clientId: string; accept: () => void; refuse: (error: Error) => void }[] =
    [];
  const outbox = new Outbox(
    ({ content, clientId }) =>
      new Promise<void>((accept, refuse) => {
        sent.push({ content, clientId, accept, refuse });
      }),
  );
  return { outbox, sent };
}

describe('the outbox', () => {
  test('shows a message as being sent, then as accepted', async () => {
    const { outbox, sent } = outboxByHand();
    const done = outbox.add('Hello');
    expect(outbox.get()).toMatchObject([{ content: 'Hello', state: 'sending' }]);
    sent[0]?.accept();
    await done;
    expect(outbox.get()).toMatchObject([{ state: 'accepted' }]);
  });

  test('sends a failed message again under the same key', async () => {
    const { outbox, sent } = outboxByHand();
    const first = outbox.add('Hello');
    sent[0]?.refuse(new TokencastError('timeout', 'The server did not answer within 10 s.'));
    await first;
    const [failed] = outbox.get();
    expect(failed).toMatchObject({
      state: 'failed',
      problem: { words: 'The server did not answer within 10 s.', code: 'timeout' },
    });
    const second = outbox.retry(failed?.clientId ?? '');
    expect(outbox.get()).toMatchObject([{ state: 'sending', problem: null }]);
    sent[1]?.accept();
    await second;
    expect(sent.map(({ content }) => content)).toEqual(['Hello', 'Hello']);
    expect(sent[1]?.clientId).toBe(sent[0]?.clientId);
  });

  test('does not send twice what is on its way', async () => {
    const { outbox, sent } = outboxByHand();
    void outbox.add('Hello');
    await outbox.retry(sent[0]?.clientId ?? '');
    expect(sent).toHaveLength(1);
  });

  test('lets go of what the room shows, even before the answer to the request', async () => {
    const { outbox, sent } = outboxByHand();
    const done = outbox.add('Hello');
    void outbox.add('And again');
    outbox.settle([message('m', 0, { clientId: sent[0]?.clientId ?? null }), message('other', 2)]);
    expect(outbox.get()).toMatchObject([{ content: 'And again' }]);
    sent[0]?.accept();
    await done;
    expect(outbox.get()).toHaveLength(1);
  });

  test('keeps a failed message until it is discarded', async () => {
    const { outbox, sent } = outboxByHand();
    const done = outbox.add('Hello');
    sent[0]?.refuse(new Error('a bug'));
    await done;
    outbox.settle([message('other', 0)]);
    expect(outbox.get()).toMatchObject([
      { state: 'failed', problem: { words: 'Something went wrong in this page.', code: null } },
    ]);
    outbox.discard(sent[0]?.clientId ?? '');
    expect(outbox.get()).toEqual([]);
  });
});
