import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawTrace, startOtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.js';
import { openScene, type Scene } from '../support/scene.js';
import type { SystemProcess } from '../support/system.js';

let receiver: Awaited<ReturnType<typeof startOtlpReceiver>>;
let scene: Scene;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  scene = await openScene({
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '50' },
  });
});
afterAll(async () => {
  await scene.close();
  receiver.close();
});

/** The whole trace of an answer, once both processes have sent their parts. */
async function traceOf(generationId: string): Promise<ReceivedSpan[]> {
  const find = () =>
    receiver.spans.find((span) => span.attributes['tokencast.generation_id'] === generationId);
  const spans = () => receiver.of(find()?.traceId ?? '');
  await expect
    .poll(() => spans().map(({ name }) => name))
    .toEqual(
      expect.arrayContaining([
        'POST /v1/conversations/:id/messages',
        'process generations-anthropic',
        'store end',
      ]),
    );
  return spans();
}

/** What a process has logged of a generation. */
const linesOf = ({ output }: SystemProcess, generationId: string) =>
  output
    .filter((line) => line.includes(`"generationId":"${generationId}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** The names from a span up to the first of its trace. */
function pathTo(spans: readonly ReceivedSpan[], name: string): string[] {
  const path: string[] = [];
  for (let span = spans.find((each) => each.name === name); span;) {
    path.unshift(span.name);
    const { parentSpanId } = span;
    span = spans.find(({ spanId }) => spanId === parentSpanId);
  }
  return path;
}

const add = 'add generations-anthropic.generation';
const process = 'process generations-anthropic';
const post = 'POST /v1/conversations/:id/messages';
const chat = 'chat claude-sonnet-4-5';

test('one trace leads from the request through the queue to the last chunk', async () => {
  const { ada } = scene;
  const { generation, model, prompt } = await scene.ask();
  model.text('A secret answer.').stop();
  await ada.ended(generation.id);
  const spans = await traceOf(generation.id);

  expect(pathTo(spans, 'accept')).toEqual([post, 'accept']);
  expect(pathTo(spans, chat)).toEqual(expect.arrayContaining([post, add, process, 'attempt', chat]));
  expect(pathTo(spans, 'begin attempt').slice(-2)).toEqual([process, 'begin attempt']);
  expect(pathTo(spans, 'store end').slice(-2)).toEqual(['attempt', 'store end']);
  const named = (name: string) => spans.find((span) => span.name === name);
  expect(named(post)?.role).toBe('api');
  expect(named(process)?.role).toBe('worker');
  expect(named(post)?.attributes).toMatchObject({ 'http.response.status_code': 202 });
  expect(named('attempt')?.attributes).toMatchObject({
    'tokencast.status': 'completed',
    'tokencast.attempt': 1,
    'gen_ai.request.model': 'claude-sonnet-4-5',
  });

  const firstToken = named(chat)?.events.find(({ name }) => name === 'first token')?.atMs ?? 0;
  const lastChunk = named('attempt')?.events.find(({ name }) => name === 'last chunk')?.atMs ?? 0;
  expect(firstToken).toBeGreaterThan(named(post)?.startMs ?? Infinity);
  expect(lastChunk).toBeGreaterThanOrEqual(firstToken);

  // Nothing that anybody wrote, and no job of BullMQ's housekeeping.
  expect(receiver.bodies.join()).not.toContain('A secret answer.');
  expect(receiver.bodies.join()).not.toContain(prompt.text);
  expect(drawTrace(spans)).not.toMatch(/extendLocks|getNextJob|moveStalled/);
});

test('an answer that waited behind another one stays in the trace of its own request', async () => {
  const { ada } = scene;
  const first = await scene.ask();
  const traceId = 'c0ffee'.padEnd(32, '0');
  const { body } = await ada.call<{ generation: { id: string; status: string } }>(
    'POST',
    `/v1/conversations/${first.conversationId}/messages`,
    { content: 'and then' },
    { headers: { traceparent: `00-${traceId}-00000000000000aa-01`, 'x-request-id': 'mine' } },
  );
  expect(body.generation.status).toBe('waiting');
  first.model.text('One.').stop();
  (await scene.modelFor('and then')).text('Two.').stop();
  await ada.ended(body.generation.id);
  const spans = await traceOf(body.generation.id);
  // The worker that ended the first has queued it, the caller has begun the trace.
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  expect(spans.find(({ name }) => name === post)?.parentSpanId).toBe('00000000000000aa');
  expect(pathTo(spans, chat).slice(0, 1)).toEqual([post]);
  expect(pathTo(spans, chat).slice(-3)).toEqual([process, 'attempt', chat]);
  expect(spans.find(({ name }) => name === 'attempt')?.attributes['tokencast.generation_id']).toBe(
    body.generation.id,
  );

  // The line of the request names the trace, the request and the generation.
  await expect
    .poll(() => linesOf(scene.system.api(), body.generation.id))
    .toMatchObject([
      { traceId, conversationId: first.conversationId, req: { id: 'mine' }, res: { status: 202 } },
    ]);
});

test('what a worker logs of an answer leads to its trace and its room', async () => {
  const { ada, system } = scene;
  const { generation, conversationId } = await scene.ask();
  await ada.call('POST', `/v1/generations/${generation.id}/cancel`);
  await ada.ended(generation.id);
  const [{ traceId } = { traceId: '' }] = await traceOf(generation.id);
  await expect
    .poll(() => linesOf(system.worker(), generation.id))
    .toMatchObject([{ msg: 'interrupted', traceId, conversationId, attempt: 1 }]);
});

test('requests that machines make every few seconds are no traces', async () => {
  await fetch(`${scene.system.api().url}/healthz`);
  const { generation, model } = await scene.ask();
  model.text('Done.').stop();
  await scene.ada.ended(generation.id);
  await traceOf(generation.id);
  expect(receiver.spans.map(({ name }) => name)).not.toContainEqual(
    expect.stringMatching(/healthz|readyz|metrics/),
  );
});
