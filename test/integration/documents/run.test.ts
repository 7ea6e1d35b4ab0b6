import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { citationsIn, type Document } from '../../../src/client/index.js';
import { documentPhases } from '../../../src/domain/document-phase.js';
import type { RoomEvent } from '../../../src/wire/room-events.js';
import type { RoomClient } from '../../support/clients.js';
import { answerTo, isStep, stepOf, type Step } from '../../support/document-model.js';
import { startS3Server, type S3Server } from '../../support/s3-server.js';
import { openScene, type Scene } from '../../support/scene.js';
import type { UpstreamRequest } from '../../support/upstream.js';

/** What becomes of an accepted document. Files are in a bucket here. */

const atOnce = 3;
let scene: Scene;
let s3: S3Server;

beforeAll(async () => {
  s3 = await startS3Server();
  scene = await openScene({
    env: {
      S3_BUCKET: 'papers',
      S3_ENDPOINT: s3.url,
      S3_ACCESS_KEY_ID: 'the-key',
      S3_SECRET_ACCESS_KEY: 'the secret',
      DOCUMENT_SECTIONS_AT_ONCE: String(atOnce),
    },
  });
});
afterAll(async () => {
  await scene.close();
  await s3.close();
});

const eight = 'analytical-engine.md';
const call = <T = Document>(method: string, id: string, path = '') =>
  scene.ada.call<T>(method, `/v1/documents/${id}${path}`);
const get = async (id: string) => (await call('GET', id)).body;

/** The request of a run to the model, and its whole answer. */
const isOf = (name: string, step: Step) => (request: UpstreamRequest) =>
  isStep(step)(request) && JSON.stringify(request.body.messages).includes(name);
const asked = (step: Step, name = '') =>
  scene.upstream.nextRequest((request) => isOf(name, step)(request) && !request.ended);
const answer = (request: UpstreamRequest) => request.text(answerTo(request.body)).stop();
const answerAllOf = async (name: string, ...steps: Step[]) => {
  for (const step of steps) answer(await asked(step, name));
};
const answerAll = (...steps: Step[]) => answerAllOf('', ...steps);
/** How often the model has been asked for each run of late. */
const askedSince = (from: number) => scene.upstream.requests.slice(from).map(({ body }) => stepOf(body));

async function watch(id: string): Promise<RoomClient[]> {
  const clients = [scene.ada.documentSocket(id), scene.ada.documentStream(id)];
  for (const client of clients) await client.connect();
  return clients;
}

const sections = Array.from({ length: 8 }, (_, i) => i);
const all: Step[] = [...sections, ...documentPhases];

const short = (event: RoomEvent): string | undefined => {
  switch (event.type) {
    case 'document.section':
      return `${event.index}/${event.total} ${event.status}`;
    case 'document.phase':
      return `${event.phase} ${event.status}`;
    default:
      return event.type.startsWith('document.') ? event.type : undefined;
  }
};
const told = (client: RoomClient) => client.logged.map(short).filter((line) => line !== undefined);

test('sections in parallel, then the phases one after the other, seen alike by socket and stream', async () => {
  const document = await scene.ada.upload(eight);
  const [socket, stream] = await watch(document.id);
  if (!socket || !stream) throw new Error('nobody watches');
  const first = await Promise.all([asked(0), asked(1), asked(2)]);
  expect((await get(document.id)).progress).toMatchObject({ sectionsDone: 0, sectionsTotal: 8, percent: 0 });
  // Bounded per document: the fourth waits for the end of one of them.
  first[1].text('It is being ');
  await socket.until(() => socket.document?.runs.some(({ content }) => content.length > 0));
  expect((await get(document.id)).sections[1]).toMatchObject({ status: 'running', text: 'It is being ' });
  first[1].text('written.').stop();
  const fourth = await asked(3);
  expect(scene.upstream.requests.filter(({ body }) => stepOf(body) !== undefined)).toHaveLength(4);
  await socket.waitFor('document.section', ({ index, status }) => index === 1 && status === 'done');
  const { progress, usage } = await get(document.id);
  expect(progress).toMatchObject({ sectionsDone: 1, percent: 6, remainingMs: expect.any(Number) as number });
  expect(usage.inputTokens).toBe(10);
  for (const request of [first[0], first[2], fourth]) answer(request);
  await answerAll(4, 5, 6, 7);
  for (const phase of documentPhases) {
    const request = await asked(phase);
    await stream.waitFor('document.phase', (event) => event.phase === phase && event.status === 'running');
    expect(await get(document.id)).toMatchObject({ phase, progress: { sectionsDone: 8 } });
    answer(request);
  }
  for (const client of [socket, stream]) await client.waitFor('document.completed');

  // One order for everybody; each section ends once, and no phase begins before the last has.
  await stream.until(() => stream.logged.length === socket.logged.length);
  expect(stream.logged).toEqual(socket.logged);
  expect(told(socket)[0]).toBe('document.started');
  for (const i of sections)
    expect(told(socket).filter((line) => line.startsWith(`${i}/8 `))).toEqual([
      `${i}/8 running`,
      `${i}/8 done`,
    ]);
  expect(told(socket).slice(17)).toEqual([
    ...documentPhases.flatMap((phase) => [`${phase} running`, `${phase} done`]),
    'document.completed',
  ]);

  const whole = await get(document.id);
  expect(whole).toMatchObject({
    status: 'completed',
    phase: null,
    progress: { sectionsDone: 8, sectionsTotal: 8, percent: 100, remainingMs: null },
    result: {
      summary: 'A summary of 8 sections.',
      keyPoints: [{ text: 'A key point.', sections }],
      entities: [{ name: 'Ada', type: 'person', sections: [0] }],
      recommendations: [{ text: 'Do it.', sections: [7] }],
    },
    usage: { inputTokens: 12 * 10 },
    error: null,
    endedAt: expect.any(String) as string,
  });
  expect(whole.costUsd).toBeGreaterThan(0);
  expect(whole.sections[1]?.text).toBe('It is being written.');
  // What watchers hold without ever asking is what the server says.
  for (const client of [socket, stream]) expect(client.document?.document).toEqual(whole);

  const report = await scene.ada.http.getReport(document.id);
  expect(report).toContain('# analytical-engine.md');
  expect(report).toContain('## Key points\n\n- A key point. ([1](#section-1)');
  expect(report).toContain('| Ada | person | ([1](#section-1)) |');
  expect(report).toContain('### 2. The Difference Engine\n\nIt is being written.');
  expect(Buffer.from(await (await scene.ada.http.getFile(document.id)).arrayBuffer()).toString()).toContain(
    'Note G',
  );
  expect(s3.objects.size).toBe(1);
  expect((await call('POST', document.id, '/resume')).body).toMatchObject({ code: 'document_ended' });
  expect((await call('POST', document.id, '/sections/0/retry')).body).toMatchObject({
    code: 'document_ended',
  });
  expect((await call('POST', document.id, '/cancel')).body).toMatchObject({ code: 'document_ended' });
});

test('a stopped document keeps what is done and half written, and a resumed one runs only what is missing', async () => {
  const document = await scene.ada.upload(eight);
  const [socket] = await watch(document.id);
  await answerAll(0, 1);
  const [second, third, silent] = [await asked(2), await asked(3), await asked(4)];
  second.text('Half of it');
  third.text('And half of this');
  await socket?.until(() => socket.document?.runs.filter(({ content }) => content.length > 0).length === 2);
  expect((await call('POST', document.id, '/resume')).body).toMatchObject({ code: 'document_running' });
  expect((await call('POST', document.id, '/sections/2/retry')).body).toMatchObject({
    code: 'document_running',
  });

  expect((await call('POST', document.id, '/cancel')).status).toBe(202);
  // All of them at once, the silent one too.
  await Promise.all([second.closed, third.closed, silent.closed]);
  await socket?.waitFor('document.cancelled');
  const stopped = await get(document.id);
  expect(stopped).toMatchObject({
    status: 'cancelled',
    error: null,
    progress: { sectionsDone: 2, remainingMs: null },
  });
  expect(stopped.sections.map(({ status, text }) => [status, text])).toEqual([
    ['done', 'What section 0 says, in a sentence.'],
    ['done', 'What section 1 says, in a sentence.'],
    ['cancelled', 'Half of it'],
    ['cancelled', 'And half of this'],
    ...Array.from({ length: 4 }, () => ['cancelled', '']),
  ]);
  expect(await scene.ada.http.getReport(document.id)).toContain(
    'The analysis was stopped: 2 of 8 sections are done.',
  );

  // One section alone, in a document that stays stopped.
  expect((await call('POST', document.id, '/sections/7/retry')).status).toBe(202);
  await answerAll(7);
  await socket?.until(() => socket.of('document.cancelled').length === 2);
  expect((await get(document.id)).progress.sectionsDone).toBe(3);

  const before = scene.upstream.requests.length;
  expect((await call('POST', document.id, '/resume')).body).toMatchObject({ status: 'queued' });
  const continued = await asked(2);
  // It goes on from what was written, which stands before the rest.
  expect(JSON.stringify(continued.body.messages)).toContain('Half of it');
  continued.text(', and the rest.').stop();
  await answerAll(3, 4, 5, 6, ...documentPhases);
  await socket?.waitFor('document.completed');
  expect(askedSince(before).sort()).toEqual([2, 3, 4, 5, 6, ...documentPhases].sort());
  const whole = await get(document.id);
  expect(whole.sections[2]?.text).toBe('Half of it, and the rest.');
  expect(whole).toMatchObject({ status: 'completed', result: { summary: 'A summary of 8 sections.' } });
  expect(socket?.document?.document).toEqual(whole);
});

describe('what fails', () => {
  // Together, since both wait between their tries.
  test.concurrent('a section is tried three times, then marked, and can be retried by itself', async () => {
    const name = 'walden.pdf';
    const document = await scene.ada.upload(name);
    const [socket] = await watch(document.id);
    await answerAllOf(name, 0, 1, 3);
    for (let failures = 0; failures < 3; failures += 1) (await asked(2, name)).fail(400);
    const summary = await asked('summary', name);
    expect(JSON.stringify(summary.body.messages)).not.toContain('What section 2 says');
    answer(summary);
    await answerAllOf(name, 'keyPoints', 'entities', 'recommendations');
    await socket?.waitFor('document.completed');
    const marked = await get(document.id);
    expect(marked.sections[2]).toMatchObject({ status: 'failed', error: { code: 'provider_error' } });
    expect(marked).toMatchObject({ status: 'completed', result: { keyPoints: [{ sections: [0, 1, 3] }] } });
    expect(await scene.ada.http.getReport(document.id)).toContain('1 of 4 sections could not be analysed');
    expect(told(socket as RoomClient).filter((line) => line.startsWith('2/4'))).toEqual(
      Array.from({ length: 3 }, (_, i) => ['2/4 running', i < 2 ? '2/4 pending' : '2/4 failed']).flat(),
    );

    expect((await call('POST', document.id, '/sections/2/retry')).status).toBe(202);
    await answerAllOf(name, 2, ...documentPhases);
    await socket?.until(() => socket.of('document.completed').length === 2);
    expect(await get(document.id)).toMatchObject({
      status: 'completed',
      sections: [{}, {}, { status: 'done', error: null }, {}],
      result: { summary: 'A summary of 4 sections.', keyPoints: [{ sections: [0, 1, 2, 3] }] },
    });
  });

  test.concurrent(
    'a phase whose answer is not what was asked for is asked for again, and at last ends the document',
    async () => {
      const name = 'alice.txt';
      const document = await scene.ada.upload(name);
      const [socket] = await watch(document.id);
      await answerAllOf(name, 0, 1, 2, 3, 'summary');
      // No JSON, no list, and citations of sections that are not there.
      for (const wrong of ['Well,', '{"points": []}', '{"keyPoints": [{"text": "x", "sections": [99]}]}'])
        (await asked('keyPoints', name)).text(wrong).stop();
      await socket?.waitFor('document.failed');
      expect(await get(document.id)).toMatchObject({
        status: 'failed',
        error: { code: 'schema_mismatch' },
        result: { summary: 'A summary of 4 sections.', keyPoints: [] },
      });
      await call('POST', document.id, '/resume');
      await answerAllOf(name, 'keyPoints', 'entities', 'recommendations');
      await socket?.waitFor('document.completed');
      // The summary stands.
      const summaries = scene.upstream.requests.filter((request) => isOf(name, 'summary')(request));
      expect(summaries).toHaveLength(1);
      expect(await get(document.id)).toMatchObject({ status: 'completed', error: null });
    },
  );

  test('a section whose analysis was refused begins anew, also where all that is missing is resumed', async () => {
    const document = await scene.ada.upload('walden.pdf');
    const [socket] = await watch(document.id);
    (await asked(0)).text('I will not.').stop({ stopReason: 'refusal' });
    await answerAll(1, 2, 3, ...documentPhases);
    await socket?.waitFor('document.completed');
    expect(await get(document.id)).toMatchObject({
      sections: [{ status: 'failed', error: { code: 'provider_refused' } }, {}, {}, {}],
    });
    expect((await call('POST', document.id, '/resume')).status).toBe(202);
    const again = await asked(0);
    expect(JSON.stringify(again.body.messages)).not.toContain('I will not.');
    answer(again);
    await answerAll(...documentPhases);
    await socket?.until(() => socket.of('document.completed').length === 2);
  });

  test('a refused key ends it at once, whatever else runs', async () => {
    const document = await scene.ada.upload(eight);
    const [socket] = await watch(document.id);
    const [first, other] = [await asked(0), await asked(1)];
    first.fail(401);
    await other.closed;
    await socket?.waitFor('document.failed');
    expect(await get(document.id)).toMatchObject({ status: 'failed', error: { code: 'provider_auth' } });
    expect((await call('POST', document.id, '/sections/99/retry')).status).toBe(404);
  });
});

test('answers to questions about a document have it before them, and cite its sections', async () => {
  const document = await scene.ada.upload('gettysburg.html');
  await answerAll(0, 1, 2, 3, ...documentPhases);
  const conversationId = await scene.ada.converse({ documentId: document.id });
  const { generation } = await scene.ada.ask(conversationId, 'Who spoke for two minutes?');
  const request = await scene.modelFor('Who spoke for two minutes?');
  const system = JSON.stringify(request.body.system);
  expect(system).toContain('Four score and seven years ago our fathers');
  expect(system).toContain('[§3]');
  request.text('Abraham Lincoln did. [§3]').stop();
  const { text } = await scene.ada.ended(generation.id);
  expect(citationsIn(text, document.sections.length).map(({ index }) => index)).toEqual([2]);
});

test('a deleted document is stopped, its watchers are told, and nobody may watch it any more', async () => {
  const document = await scene.ada.upload(eight);
  const [socket, stream] = await watch(document.id);
  const running = [await asked(0), await asked(1), await asked(2)];
  await scene.ada.http.deleteDocument(document.id);
  await Promise.all(running.map(({ closed }) => closed));
  for (const client of [socket, stream]) await client?.waitFor('document.deleted');
  expect((await call('GET', document.id)).status).toBe(404);
  await expect(scene.ada.documentSocket(document.id).connect()).rejects.toMatchObject({ code: 'not_found' });
  await expect(scene.ada.documentStream(document.id).connect()).rejects.toMatchObject({ code: 'not_found' });
});

test('a document is deleted while a question about it waits for the same lock as the deletion', async () => {
  const document = await scene.ada.upload(eight);
  await Promise.all([asked(0), asked(1), asked(2)]);
  const conversationId = await scene.ada.converse({ documentId: document.id });
  const path = `/v1/conversations/${conversationId}/messages`;
  const sql = postgres(scene.system.databaseUrl, { max: 2 });
  const waiters = async () => {
    const [row] = await sql<{ count: number }[]>`select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    return row?.count;
  };
  const answers: Promise<{ status: number }>[] = [];
  await sql.begin(async (tx) => {
    await tx`select from conversations where id = ${conversationId} for update`;
    answers.push(scene.ada.call('POST', path, { content: 'Who built it?' }));
    await expect.poll(waiters, { interval: 10, timeout: 4000 }).toBe(1);
    answers.push(call('DELETE', document.id));
    await expect.poll(waiters, { interval: 10, timeout: 4000 }).toBe(2);
  });
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([202, 204]);
  await sql.end();
});

test('a list of one’s own follows what becomes of a document', async () => {
  const lists = scene.ada.lists();
  await lists.connect();
  const document = await scene.ada.upload('alice.txt');
  await answerAll(...all.filter((step) => typeof step !== 'number' || step < 4));
  const { document: last } = await lists.waitFor(
    'document.activity',
    (event) => event.document.id === document.id && event.document.status === 'completed',
  );
  expect(last.progress.percent).toBe(100);
  expect(last).not.toHaveProperty('result');
});
