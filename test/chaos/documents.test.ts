import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { documentPhases } from '../../src/domain/document-phase.js';
import { answerTo, isStep, stepOf } from '../support/document-model.js';
import { makePdf } from '../support/pdf-file.js';
import type { SystemProcess } from '../support/system.js';
import { continuing, type UpstreamBody, type UpstreamRequest } from '../support/upstream.js';
import { continuedText, setStage, type Stage } from './stage.js';

const eight = 'analytical-engine.md';
const sections = Array.from({ length: 8 }, (_, i) => i);

/** The whole answer, or what of it is missing behind the text to go on from. */
const rest = (body: UpstreamBody) => continuing(answerTo(body), 40)(body);
const half = (request: UpstreamRequest) => request.text(answerTo(request.body).slice(0, 20));

async function watch({ ada }: Stage, id: string) {
  const clients = [ada.documentSocket(id), ada.documentStream(id)];
  for (const client of clients) await client.connect();
  return clients;
}

/** Nothing is lost and nothing doubled: every section has its analysis, every step one run that ended well. */
async function expectWhole(stage: Stage, id: string, clients: Awaited<ReturnType<typeof watch>>) {
  for (const client of clients) await client.waitFor('document.completed');
  const document = await stage.ada.http.getDocument(id);
  expect(document).toMatchObject({
    status: 'completed',
    result: { summary: 'A summary of 8 sections.', keyPoints: [{ sections }] },
  });
  expect(document.sections.map(({ text }) => text)).toEqual(
    sections.map((i) => `What section ${i} says, in a sentence.`),
  );
  for (const client of clients) expect(client.document?.document).toEqual(document);
  const runs = await stage.sql`
    select coalesce(phase, section_index::text) as step, status from generations where document_id = ${id}`;
  expect(runs.map(({ step }) => step as string).sort()).toEqual(
    [...sections.map(String), ...documentPhases].sort(),
  );
  expect(new Set(runs.map(({ status }) => status as string))).toEqual(new Set(['completed']));
}

test('a worker killed at section 3 of 8: the others go on, and another goes on with its', async () => {
  const stage = await setStage({ env: { DOCUMENT_CONCURRENCY: '2', DOCUMENT_SECTIONS_AT_ONCE: '3' } });
  const { system, upstream, ada, sql } = stage;
  const { id } = await ada.upload(eight);
  const clients = await watch(stage, id);
  const [socket] = clients;
  const first = [await upstream.nextRequest(isStep(0)), await upstream.nextRequest(isStep(1))];
  // The first worker has all that it takes.
  await system.add('worker', { DOCUMENT_CONCURRENCY: '1' });
  const third = await upstream.nextRequest(isStep(2));
  half(third);
  await socket?.until(() => socket.document?.runs.some(({ content }) => content.length > 0));
  system.worker(1).kill('SIGKILL');
  await third.closed;

  // The others do not wait for it: it waits for them.
  const others = Promise.resolve(
    socket?.until(() =>
      socket.document?.document.sections.every(({ status }, i) => i === 2 || status === 'done'),
    ),
  );
  upstream.answerWith(async function* (body) {
    if (stepOf(body) === 2) await others;
    yield* rest(body);
  });
  for (const request of first) request.text(answerTo(request.body)).stop();
  const again = await upstream.nextRequest(isStep(2));
  expect(continuedText(again)).toBe(answerTo(third.body).slice(0, 20).trimEnd());
  await expectWhole(stage, id, clients);
  const [taken] = await sql`
    select attempt, lost_workers from generations where document_id = ${id} and section_index = 2`;
  expect(taken).toEqual({ attempt: 2, lost_workers: 1 });
}, 60_000);

test('Redis wiped in mid-analysis: what runs and what is queued is not lost, and watchers see it all', async () => {
  const stage = await setStage({
    own: ['redis'],
    env: { DOCUMENT_CONCURRENCY: '2', DOCUMENT_SECTIONS_AT_ONCE: '4' },
  });
  const { upstream, ada, redis } = stage;
  const { id } = await ada.upload(eight);
  const clients = await watch(stage, id);
  const [socket] = clients;
  // The next two have nothing but their jobs.
  const running = [half(await upstream.nextRequest(isStep(0))), half(await upstream.nextRequest(isStep(1)))];
  await socket?.until(() => socket.document?.runs.filter(({ content }) => content.length > 0).length === 2);
  expect(socket?.document?.runs.map(({ status }) => status)).toEqual([
    'running',
    'running',
    'queued',
    'queued',
  ]);

  await redis.wipe();
  upstream.answerWith(rest);
  for (const request of running) request.text(answerTo(request.body).slice(20)).stop();
  await expectWhole(stage, id, clients);
}, 60_000);

/** The most memory that a process has held, in MB, as Linux tells. */
async function peakMb({ pid }: SystemProcess): Promise<number> {
  const status = await readFile(`/proc/${pid ?? ''}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

test.runIf(process.platform === 'linux')(
  'a PDF of 300 pages, within 300 MB of the worker and of the api',
  async () => {
    const stage = await setStage({ env: { DOCUMENT_SECTIONS_AT_ONCE: '16', DOCUMENT_CONCURRENCY: '16' } });
    const { system, upstream, ada } = stage;
    upstream.answerWith((body) => [answerTo(body)]);
    const chapters = Array.from({ length: 300 }, (_, page) => ({
      title: page % 5 === 0 ? `Chapter ${page / 5 + 1}` : `Of page ${page + 1}`,
      paragraphs: Array.from({ length: 3 }, (_, i) =>
        `Page ${page + 1} says for the ${i + 1}. time what it says. `.repeat(12),
      ),
    }));
    const pdf = await makePdf('A Long Report', chapters, { pagePerChapter: true });
    expect(pdf.toString('latin1').match(/\/Type \/Page\b(?!s)/g)).toHaveLength(300);
    const file = new File([new Uint8Array(pdf)], 'long.pdf');
    const { id, sections: found } = await ada.http.uploadDocument(file);
    expect(found.length).toBeGreaterThan(50);
    const socket = ada.documentSocket(id);
    await socket.connect();
    await socket.waitFor('document.completed');
    const document = await ada.http.getDocument(id);
    expect(document.progress).toMatchObject({ sectionsDone: found.length, percent: 100 });
    const [worker, api] = [await peakMb(system.worker()), await peakMb(system.api())];
    console.log(
      `300 pages, ${found.length} sections: worker ${worker.toFixed(0)} MB, api ${api.toFixed(0)} MB at most`,
    );
    expect(worker).toBeLessThan(300);
    expect(api).toBeLessThan(300);
  },
  60_000,
);
