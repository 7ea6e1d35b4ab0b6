import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createKeys } from '../../src/redis/keys.js';
import { conversationRoom } from '../../src/wire/room.js';
import { eventually, running, setStage } from './stage.js';

test('a worker that hung past its lock writes nothing more: not a chunk, not an end, not a row', async () => {
  const { system, upstream, ada, row, answers } = await setStage();
  const redis = new Redis(system.redisUrl);
  onTestFinished(() => {
    redis.disconnect();
  });
  const conversation = await ada.converse();
  const socket = ada.socket(conversation);
  await socket.connect();
  const { generation } = await ada.ask(conversation, 'Go on.');
  const ofZombie = await upstream.nextRequest();
  ofZombie.text('One');
  await socket.until(() => socket.written(generation.id) === 'One');

  const zombie = system.worker(0);
  await system.add('worker');
  zombie.kill('SIGSTOP');
  const ofHeir = await upstream.nextRequest();
  ofHeir.text(', two');
  await socket.until(() => socket.written(generation.id) === 'One, two');
  // All of it waits in the zombie's connection when it wakes: text, the end of the answer, a job to finish.
  ofZombie.text(' and a zombie').stop();
  const log = createKeys(system.keyPrefix).log(conversationRoom(conversation));
  const before = { log: await redis.xrange(log, '-', '+'), row: await row(generation.id) };
  zombie.kill('SIGCONT');
  await eventually(async () => (await running(zombie)) === 0);
  expect(await redis.xrange(log, '-', '+')).toEqual(before.log);
  expect(await row(generation.id)).toEqual(before.row);
  expect(before.row).toMatchObject({ status: 'running', attempt: 2, lostWorkers: 1 });

  ofHeir.text(', three').stop();
  const { message } = await socket.ended(generation.id);
  expect(message?.text).toBe('One, two, three');
  expect(socket.written(generation.id)).toBe('One, two, three');
  expect(await answers(conversation)).toEqual([{ text: 'One, two, three', status: 'complete' }]);
  expect(socket.of('generation.completed')).toHaveLength(1);

  // It is of use again.
  const next = await ada.ask(conversation, 'And then?');
  (await upstream.nextRequest()).text('Four.').stop();
  expect((await socket.ended(next.generation.id)).message?.text).toBe('Four.');
}, 60_000);
