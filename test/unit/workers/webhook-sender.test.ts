import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebhookSender } from '../../../workers/webhooks/webhook-sender.js';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const never = new AbortController().signal;

let server: Server;
let url: string;
let got: { headers: IncomingHttpHeaders; body: string }[] = [];
const sender = new WebhookSender({ allowPrivate: true, timeoutMs: 300 });

beforeAll(async () => {
  server = createServer((req, res) => {
    void text(req).then((body) => {
      got.push({ headers: req.headers, body });
      if (req.url === '/silent') return;
      if (req.url === '/redirect') res.setHeader('location', '/ok');
      res.statusCode = { '/redirect': 302, '/gone': 410, '/broken': 500 }[req.url ?? ''] ?? 204;
      res.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await sender.close();
  server.closeAllConnections();
  server.close();
});

const send = (path: string, payload = '{}', signal = never) =>
  sender.send({ url: url + path, secret, eventId: 'msg_1', payload }, signal);

describe('what a webhook is sent', () => {
  test('is signed so that the receiver can verify any of it, and none of it can be changed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (data) => {
        got = [];
        const payload = JSON.stringify({ type: 'generation.completed', data });
        expect(await send('/ok', payload)).toEqual({ arrived: true, statusCode: 204, error: null });
        const { headers, body } = got[0] ?? { headers: {}, body: '' };
        const given = headers as Record<string, string>;
        expect(body).toBe(payload);
        expect(new Webhook(secret).verify(body, given)).toEqual(JSON.parse(payload));
        expect(() => new Webhook(secret).verify(`${body} `, given)).toThrow();
      }),
      { numRuns: 40 },
    );
  });

  test('has not arrived where the answer is no 2xx, and follows no redirect', async () => {
    got = [];
    expect(await send('/broken')).toMatchObject({ arrived: false, statusCode: 500 });
    expect(await send('/gone')).toMatchObject({
      arrived: false,
      statusCode: 410,
      error: 'It answered 410 Gone.',
    });
    expect(await send('/redirect')).toMatchObject({ arrived: false, statusCode: 302 });
    expect(got).toHaveLength(3);
  });

  test('is given up where the receiver is silent, and where the worker stops', async () => {
    expect(await send('/silent')).toEqual({
      arrived: false,
      statusCode: null,
      error: 'It took longer than 0.3 s.',
    });
    const stop = new AbortController();
    const sent = send('/silent', '{}', stop.signal);
    stop.abort(new Error('the worker stops'));
    await expect(sent).rejects.toThrow('the worker stops');
  });

  test('goes to no private address, by its number or by its name', async () => {
    got = [];
    const careful = new WebhookSender({ allowPrivate: false });
    const { port } = new URL(url);
    for (const host of [
      '127.0.0.1',
      'localhost',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '0.0.0.0',
      '10.0.0.1',
      '169.254.169.254',
    ])
      expect(
        await careful.send(
          { url: `http://${host}:${port}/ok`, secret, eventId: 'msg_1', payload: '{}' },
          never,
        ),
      ).toMatchObject({
        arrived: false,
        statusCode: null,
        error: expect.stringContaining('not on the public internet') as string,
      });
    expect(got).toEqual([]);
    await careful.close();
  });
});
