import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import express, { type Request, type Response } from 'express';
import { expect, test } from 'vitest';
import { createHttpServer } from '../../../src/api/http-server.js';

setFlagsFromString('--allow-natives-syntax');
// eslint-disable-next-line @typescript-eslint/no-implied-eval -- syntax that nothing but V8 knows
const haveSameShape = new Function('a', 'b', 'return %HaveSameMap(a, b)') as (
  a: object,
  b: object,
) => boolean;

test('requests of a kind, and their responses, share their shapes', async () => {
  const requests: Request[] = [];
  const responses: Response[] = [];
  const app = express();
  app.get('/hello', (req, res) => {
    requests.push(req);
    responses.push(res);
    res.locals['greeted'] = true;
    res.status(201).json({ protocol: req.protocol, query: req.query, ip: req.ip });
  });
  const server = createHttpServer({ keepAliveTimeout: 1000 }, app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (let sent = 0; sent < 4; sent += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/hello?who=ada`);
    expect(answer.status).toBe(201);
    expect(await answer.json()).toEqual({ protocol: 'http', query: { who: 'ada' }, ip: '127.0.0.1' });
  }
  server.close();
  const [, , third, last] = requests as [Request, Request, Request, Request];
  expect(haveSameShape(third, last)).toBe(true);
  const [, , thirdAnswer, lastAnswer] = responses as [Response, Response, Response, Response];
  expect(haveSameShape(thirdAnswer, lastAnswer)).toBe(true);
});
