import { expect, test } from 'vitest';
import { about, continuedText, eventually, setStage } from './stage.js';

/** From the kill to the next call of the model. */
const takeoverMs = 8000;

test('another worker goes on where a killed one stopped, and gives up after three', async () => {
  const { system, upstream, ada, row, answers } = await setStage();
  const ask = async (question: string, options: object) => {
    const conversation = await ada.converse();
    const socket = ada.socket(conversation);
    await socket.connect();
    const { generation } = await ada.ask(conversation, question, options);
    const request = await upstream.nextRequest(about(question));
    return { conversation, socket, id: generation.id, request, question };
  };
  const prefilled = await ask('prefill', { model: 'claude-sonnet-4-5' });
  const instructed = await ask('instruct', { model: 'claude-sonnet-4-6' });
  const restarted = await ask('restart', { onCrash: 'restart' });
  const hopeless = await ask('hopeless', {});
  const all = [prefilled, instructed, restarted, hopeless];
  for (const { request, socket, id } of all) {
    request.start({ inputTokens: 10 }).text('Once upon').text(' a time \n');
    await socket.until(() => socket.written(id) === 'Once upon a time \n');
  }

  await system.add('worker');
  const killedAt = performance.now();
  system.worker(0).kill('SIGKILL');
  const second = await Promise.all(all.map(({ question }) => upstream.nextRequest(about(question))));
  for (const request of second) expect(request.receivedAtMs - killedAt).toBeLessThan(takeoverMs);
  const [afterPrefill, afterInstruction, afterRestart, afterHopeless] = second;

  // Both models begin with the white space that was cut from what they go on from.
  expect(afterPrefill?.body.messages.at(-1)).toMatchObject({ role: 'assistant' });
  expect(afterPrefill && continuedText(afterPrefill)).toBe('Once upon a time');
  afterPrefill?.start({ inputTokens: 14 }).text(' \n').text('there was').stop({ outputTokens: 5 });
  expect(afterInstruction?.body.messages.at(-1)).toMatchObject({ role: 'user' });
  expect(afterInstruction && continuedText(afterInstruction)).toBe('Once upon a time');
  afterInstruction?.start({ inputTokens: 14 }).text(' ').text('\nthere was').stop({ outputTokens: 5 });
  expect(afterRestart && continuedText(afterRestart)).toBe('');
  afterRestart?.start({ inputTokens: 14 }).text('Anew.').stop({ outputTokens: 5 });

  for (const [{ socket, id, conversation }, text] of [
    [prefilled, 'Once upon a time \nthere was'],
    [instructed, 'Once upon a time \nthere was'],
    [restarted, 'Anew.'],
  ] as const) {
    const { generation, message } = await socket.ended(id);
    expect(socket.written(id)).toBe(text);
    expect(message?.text).toBe(text);
    expect(generation).toMatchObject({ status: 'completed', attempt: 2, error: null });
    // 10 and 14; the killed call did not come to report its output, which is taken from its 18 characters.
    expect(generation.usage).toMatchObject({ inputTokens: 24, outputTokens: 5 + 5 });
    expect(await answers(conversation)).toEqual([{ text, status: 'complete' }]);
    expect(await row(id)).toMatchObject({ lostWorkers: 1 });
  }
  expect(prefilled.socket.of('generation.reset')).toEqual([]);
  expect(instructed.socket.of('generation.reset')).toEqual([]);
  expect(restarted.socket.of('generation.reset')).toMatchObject([{ generationId: restarted.id, attempt: 2 }]);

  // Two more are lost with the last generation.
  const { socket, id, conversation } = hopeless;
  afterHopeless?.start({ inputTokens: 14 }).text(' there');
  await socket.until(() => socket.written(id).endsWith('there'));
  await system.add('worker');
  system.worker(1).kill('SIGKILL');
  const third = await upstream.nextRequest(about('hopeless'));
  third.start({ inputTokens: 15 }).text(' was');
  await socket.until(() => socket.written(id).endsWith('was'));
  await system.add('worker');
  system.worker(2).kill('SIGKILL');
  const { generation } = await socket.ended(id);
  expect(generation).toMatchObject({ status: 'failed', error: { code: 'worker_lost' } });
  expect(generation.usage?.inputTokens).toBe(10 + 14 + 15);
  expect(await answers(conversation)).toEqual([{ text: socket.written(id), status: 'partial' }]);
  expect(socket.written(id)).toBe('Once upon a time \nthere was');
  expect(await row(id)).toMatchObject({ lostWorkers: 3 });
  expect(upstream.requests.filter(about('hopeless'))).toHaveLength(3);
  await eventually(() => upstream.open === 0);
}, 120_000);
