import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Document } from '../../../src/client/index.js';
import { sweepFiles } from '../../../workers/sweep-files.js';
import { fixtureFile, fixturePath } from '../../support/fixtures.js';
import { startTestApi, type Caller, type TestApi } from '../api/test-api.js';

/** Uploads, up to the acceptance: there is no worker. */

let api: TestApi;
let ada: Caller;
let bob: Caller;

beforeAll(async () => {
  api = await startTestApi();
  [ada, bob] = [await api.signIn('Ada'), await api.signIn('Bob')];
});
afterAll(() => api.close());

async function post(caller: Caller, body: FormData, headers: Record<string, string> = {}) {
  const response = await fetch(`${api.url}/v1/documents`, {
    method: 'POST',
    headers: { authorization: `Bearer ${caller.token}`, ...headers },
    body,
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Document & { code: string; detail: string },
  };
}

const form = (file?: File, fields: Record<string, string> = {}) => {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  if (file) data.set('file', file);
  return data;
};
const upload = async (name: string, fields?: Record<string, string>) =>
  post(ada, form(await fixtureFile(name), fields));

const filesIn = (folder: string) => readdir(join(api.uploads, folder)).catch(() => []);

describe('a file that can be read', () => {
  test.each([
    ['alice.txt', 'text/plain', 4],
    ['analytical-engine.md', 'text/markdown', 8],
    ['gettysburg.html', 'text/html', 4],
    ['walden.pdf', 'application/pdf', 4],
    ['frankenstein.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', 4],
  ])('%s is accepted with its sections, and given back as it came', async (name, mediaType, sections) => {
    const bytes = await readFile(fixturePath(name));
    const { status, headers, body } = await upload(name);
    expect(status).toBe(202);
    expect(headers.get('location')).toBe(`/v1/documents/${body.id}`);
    expect(body).toMatchObject({
      name,
      mediaType,
      bytes: bytes.length,
      status: 'queued',
      phase: null,
      progress: { sectionsDone: 0, sectionsTotal: sections, percent: 0, remainingMs: null },
      result: { summary: null, keyPoints: [], entities: [], recommendations: [] },
      costUsd: 0,
      error: null,
      endedAt: null,
    });
    expect(body.sections.map(({ index, status, text, error }) => [index, status, text, error])).toEqual(
      Array.from({ length: sections }, (_, i) => [i, 'pending', '', null]),
    );

    const path = `/v1/documents/${body.id}`;
    expect((await ada.call('GET', path)).body).toEqual(body);
    const section = (await ada.call('GET', `${path}/sections/1`)).body as { title: string; source: string };
    expect(section.source).toContain(section.title);
    const file = await fetch(api.url + path + '/file', { headers: { authorization: `Bearer ${ada.token}` } });
    expect(Buffer.from(await file.arrayBuffer()).equals(bytes)).toBe(true);
    expect(file.headers.get('content-disposition')).toBe(`attachment; filename=${name}`);
    expect(file.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('is called by its name alone, whatever stands before it, and listed with the newest first', async () => {
    const called = async (name: string) => (await post(ada, form(new File(['Some words.'], name)))).body;
    const first = await called('Überblick “2026”.txt');
    expect(first.name).toBe('Überblick “2026”.txt');
    const second = await called('../../etc/passwd');
    expect(second.name).toBe('passwd');
    const { items } = (await ada.call('GET', '/v1/documents?limit=2')).body as { items: Document[] };
    expect(items.map(({ id }) => id)).toEqual([second.id, first.id]);
    expect(items[0]).not.toHaveProperty('result');
    expect((await bob.call('GET', '/v1/documents')).body).toEqual({ items: [], nextBefore: null });
  });

  test('with a key is one document however often it comes; another file under it is refused', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const first = await post(ada, form(await fixtureFile('alice.txt')), key);
    const again = await post(ada, form(await fixtureFile('alice.txt')), key);
    expect(again).toMatchObject({ status: 202, body: { id: first.body.id } });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const other = await post(ada, form(await fixtureFile('gettysburg.html')), key);
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
  });
});

describe('what is refused', () => {
  test.each([
    ['walden-encrypted.pdf', 422, 'unreadable_document', 'a password is needed'],
    ['walden-scanned.pdf', 422, 'unreadable_document', 'scanned pages only'],
    ['walden-broken.pdf', 422, 'unreadable_document', 'broken'],
    ['empty.txt', 422, 'unreadable_document', 'empty'],
    ['picture.png', 415, 'unsupported_media_type', 'image/png'],
  ])('%s: %i %s, in words', async (name, status, code, words) => {
    const answer = await upload(name);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.body.detail).toContain(words);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  test('no file, several, something else by its name, and options that make no sense', async () => {
    const refused = async (body: FormData, code = 'invalid_request') => {
      const answer = await post(ada, body);
      expect(answer.body.code).toBe(code);
      return answer.body.detail;
    };
    const file = await fixtureFile('alice.txt');
    expect(await refused(form())).toContain('file');
    const two = form(file);
    two.append('file', file);
    await refused(two);
    const misnamed = new FormData();
    misnamed.set('document', file);
    await refused(misnamed);
    expect(await refused(form(file, { options: '{' }))).toContain('JSON');
    expect(await refused(form(file, { options: '{"tools": ["calculator"]}' }))).toContain('tools');
    await refused(form(file, { options: '{"maxTokens": -1}' }));
    for (const system of [String.raw`a\u0000b`, String.raw`\ud800`])
      expect(await refused(form(file, { options: `{"system": "${system}"}` }))).toContain('system: must');
    const deep = '['.repeat(30_000) + ']'.repeat(30_000);
    expect(await refused(form(file, { options: `{"outputSchema": ${deep}}` }))).toContain('nested');
    await refused(form(file, { options: '{"model": "claude-sonnet-4-5"}' }), 'unsupported_model');
  });

  test('a body that is no multipart, has no boundary, or ends too early', async () => {
    const refused = async (body: string, type: string) =>
      (await ada.call('POST', '/v1/documents', undefined, { raw: body, headers: { 'content-type': type } }))
        .body;
    expect(await refused('{}', 'application/json')).toMatchObject({ code: 'unsupported_media_type' });
    expect(await refused('x', 'multipart/form-data')).toMatchObject({ code: 'invalid_request' });
    const cut = '--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nabc';
    expect(await refused(cut, 'multipart/form-data; boundary=b')).toMatchObject({ code: 'invalid_request' });
  });

  test('a file that is too large: by what the request says of itself, and by what comes', async () => {
    const tooLarge = await post(ada, form(new File([new Uint8Array(1_000_001)], 'large.txt')));
    expect(tooLarge).toMatchObject({ status: 413, body: { code: 'payload_too_large' } });
    const code = await new Promise<string>((resolve, reject) => {
      const sent = request(`${api.url}/v1/documents`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ada.token}`, 'content-type': 'multipart/form-data; boundary=b' },
      });
      sent.once('response', (response) => {
        response.setEncoding('utf8').once('data', (body: string) => {
          resolve((JSON.parse(body) as { code: string }).code);
          sent.destroy();
        });
      });
      sent.on('error', reject);
      sent.write('--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n');
      // Without an end: it is refused while it comes.
      for (let i = 0; i < 11; i += 1) sent.write(Buffer.alloc(100_000, 'a'));
    });
    expect(code).toBe('payload_too_large');
  });

  test('leaves nothing behind', async () => {
    expect(await filesIn('incoming')).toEqual([]);
    const { items } = (await ada.call('GET', '/v1/documents?limit=200')).body as { items: Document[] };
    // Of an upload whose acceptance was refused the file stays until it is swept.
    await sweepFiles(api.db, api.documents.storage, 0);
    expect(await filesIn('files')).toHaveLength(items.length);
  });
});

test('whoever leaves in the middle of a download is no fault of ours, and the file is let go of', async () => {
  const { body: document } = await upload('alice.txt');
  const file = new PassThrough();
  file.write('the first words');
  const letGo = new Promise((resolve) => file.once('close', resolve));
  const opened = vi.spyOn(api.documents.storage, 'open').mockResolvedValueOnce(file);
  const leaving = new AbortController();
  const answer = await fetch(`${api.url}/v1/documents/${document.id}/file`, {
    headers: { authorization: `Bearer ${ada.token}` },
    signal: leaving.signal,
  });
  const reader = answer.body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('the first words');
  leaving.abort();
  await letGo;
  expect((await ada.call('GET', `/v1/documents/${document.id}`)).status).toBe(200);
  expect(opened).toHaveBeenCalledOnce();
  expect(api.log.filter((line) => line.includes('request failed'))).toEqual([]);
});

test('a deleted document is gone for everybody, and its file with the next sweep', async () => {
  const { body: document } = await upload('alice.txt');
  const path = `/v1/documents/${document.id}`;
  const before = await filesIn('files');
  expect((await bob.call('DELETE', path)).status).toBe(404);
  expect((await ada.call('DELETE', path)).status).toBe(204);
  for (const gone of [path, `${path}/report.md`, `${path}/file`, `${path}/sections/0`])
    expect((await ada.call('GET', gone)).status).toBe(404);
  expect((await ada.call('DELETE', path)).status).toBe(404);
  // A minute old at least: another may be on its way.
  await sweepFiles(api.db, api.documents.storage, 60_000);
  expect(await filesIn('files')).toEqual(before);
  await sweepFiles(api.db, api.documents.storage, 0);
  expect(await filesIn('files')).toHaveLength(before.length - 1);
});

test('whoever has sent too much is told so before the file is read', async () => {
  const strict = await startTestApi({ settings: { limits: { userMessagesPerMinute: 1 } } });
  try {
    const eve = await strict.signIn('Eve');
    const send = async () =>
      fetch(`${strict.url}/v1/documents`, {
        method: 'POST',
        headers: { authorization: `Bearer ${eve.token}` },
        body: form(await fixtureFile('alice.txt')),
      });
    expect((await send()).status).toBe(202);
    const refused = await send();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  } finally {
    await strict.close();
  }
});
