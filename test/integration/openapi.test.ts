import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventSchemaName } from '../../src/api/openapi/named-schemas.js';
import { DocumentValidator, type Json } from '../support/document-validator.js';
import { Person } from '../support/person.js';
import { startSystem, type System } from '../support/system.js';

/** The server keeps what `/openapi.json` says: each example is sent, and each answer is one that it tells of. */

interface MediaType {
  schema: Json;
  examples?: Record<string, { value: Json }>;
}
interface Operation {
  operationId: string;
  security: Json[];
  parameters: { name: string; in: string; required?: boolean }[];
  requestBody?: { content: Record<string, MediaType> };
  responses: Record<string, { content?: Record<string, MediaType> }>;
}

let system: System;
let url: string;
let ada: Person;
let noor: Person;
let document: Json;
let validator: DocumentValidator;
const answered = new Set<string>();

beforeAll(async () => {
  system = await startSystem({ env: { DEMO_TOKENS_PER_SECOND: '2000' } });
  ({ url } = system.api());
  [ada, noor] = (await Promise.all(['Ada', 'Noor'].map((name) => Person.signIn({ url }, name)))) as [
    Person,
    Person,
  ];
  document = (await (await fetch(`${url}/openapi.json`)).json()) as Json;
  validator = new DocumentValidator(document);
});
afterAll(() => system.stop());

const operations = (): { method: string; path: string; operation: Operation }[] =>
  Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
  );

/** A question that has been answered, in a conversation of its own. */
async function answeredQuestion() {
  const id = await ada.converse({ model: 'demo' });
  const { message, generation } = await ada.ask(id, 'What is backpressure?', { maxTokens: 20 });
  await ada.ended(generation.id);
  return { conversation: id, message: message.id, generation: generation.id };
}

let question: ReturnType<typeof answeredQuestion> | undefined;

/** One for all that only look at it. */
const sharedQuestion = () => (question ??= answeredQuestion());

/** One whose answer is not there yet. */
async function openQuestion() {
  const id = await ada.converse({ model: 'demo-slow' });
  const { message, generation } = await ada.ask(id, 'Write a long story.');
  return { conversation: id, message: message.id, generation: generation.id };
}

let analysed: Promise<string> | undefined;

/** A document that has been analysed: one for all that only look. */
const analysedDocument = () =>
  (analysed ??= (async () => {
    const { id } = await ada.http.uploadDocument(new File(['# One\n\nShort.\n'], 'one.md'), {
      options: { model: 'demo-fast' },
    });
    const stream = ada.documentStream(id);
    await stream.connect();
    await stream.until(() =>
      stream.events.some((event) => /^document\.(completed|failed)$/.test(event.type) || hasCompleted(event)),
    );
    stream.drop();
    return id;
  })());

const hasCompleted = (event: unknown): boolean =>
  JSON.stringify(event).startsWith('{"type":"snapshot"') &&
  /"status":"completed"/.test(JSON.stringify(event));

async function openDocument(): Promise<string> {
  const { id } = await ada.http.uploadDocument(new File([`# ${crypto.randomUUID()}\n\nLong.\n`], 'two.md'), {
    options: { model: 'demo-slow' },
  });
  return id;
}

async function cancelledDocument(): Promise<string> {
  const id = await openDocument();
  await ada.call('POST', `/v1/documents/${id}/cancel`);
  return id;
}

/** Real ids for the parameters of an operation's path, and what its query needs. */
async function placeOf(id: string): Promise<Record<string, string>> {
  switch (id) {
    case 'cancelConversation':
    case 'deleteConversation':
    case 'clearMessages':
      return { id: (await openQuestion()).conversation };
    case 'cancelGeneration':
      return { id: (await openQuestion()).generation };
    case 'continueGeneration':
    case 'getGeneration':
    case 'forgetCachedAnswer':
    case 'watchGeneration':
      return { id: (await (id === 'continueGeneration' ? answeredQuestion() : sharedQuestion())).generation };
    case 'editMessage':
    case 'deleteMessage':
    case 'regenerate':
      return { id: (await answeredQuestion()).message };
    case 'acceptInvite':
      return { token: (await noor.http.createInvite(await noor.converse(), 'member')).token };
    case 'removeMember':
    case 'getUserBudget':
    case 'limitUserBudget':
    case 'resetUserBudget': {
      const conversation = await ada.converse();
      await system.addMember(conversation, noor.user.id);
      return { id: conversation, userId: noor.user.id };
    }
    case 'getWebhook':
    case 'updateWebhook':
    case 'deleteWebhook':
    case 'testWebhook':
    case 'listDeliveries': {
      const address = { url: 'http://127.0.0.1:9/nobody' };
      return { id: (await ada.call<{ id: string }>('POST', '/v1/webhooks', address)).body.id };
    }
    case 'watchRooms':
      return { room: `conversation:${await ada.converse()}` };
    case 'cancelDocument':
    case 'deleteDocument':
      return { id: await openDocument() };
    case 'resumeDocument':
    case 'retrySection':
      return { id: await cancelledDocument(), index: '0' };
    default:
      if (/Document|Report|File|Section/.test(id)) return { id: await analysedDocument(), index: '0' };
      return { id: (await sharedQuestion()).conversation };
  }
}

function requestBody(mediaType: string, value: Json): RequestInit {
  if (mediaType !== 'multipart/form-data')
    return { body: JSON.stringify(value), headers: { 'content-type': mediaType } };
  const form = new FormData();
  form.append('file', new Blob([String(value.file)]), 'example.md');
  form.append('options', JSON.stringify(value.options));
  return { body: form };
}

interface Sent {
  operation: Operation;
  method: string;
  path: string;
  place?: Record<string, string>;
  init?: RequestInit;
  headers?: Record<string, string>;
}

/** Sends a request, and checks that the document tells of its answer. What is kept open is left after its first event. */
async function send({ operation, method, path, place = {}, init, headers = {} }: Sent): Promise<number> {
  const left = new AbortController();
  const query = operation.parameters.filter((one) => one.in === 'query' && one.required);
  const address = new URL(
    path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(place[name] ?? '')),
    url,
  );
  for (const { name } of query) address.searchParams.append(name, place[name] ?? '');
  const response = await fetch(address, {
    method: method.toUpperCase(),
    ...init,
    headers: {
      ...(operation.security.length > 0 && { authorization: `Bearer ${ada.token}` }),
      ...(init?.headers as Record<string, string> | undefined),
      ...headers,
    },
    signal: left.signal,
  });
  const { status } = response;
  const told = operation.responses[status];
  const mediaType = response.headers.get('content-type')?.split(';')[0] ?? '';
  const where = `${operation.operationId} ${status} ${mediaType}`;
  expect(told, `${where}: ${told ? '' : await response.clone().text()}`).toBeDefined();
  if (!told?.content) {
    expect(await response.text(), where).toBe('');
    return status;
  }
  const media = told.content[mediaType] ?? told.content['*/*'];
  expect(media, `${where} is not told of`).toBeDefined();
  if (!media) return status;
  if (mediaType === 'text/event-stream') {
    await checkEvents(response, media.schema, operation.operationId);
    left.abort();
  } else {
    const text = await response.text();
    const body: unknown = /json$/.test(mediaType) ? JSON.parse(text) : text;
    expect(validator.problemOf(media.schema, body), `${where}: ${text.slice(0, 2000)}`).toBeUndefined();
  }
  return status;
}

/** Reads a stream to its first event, one of a generation to its end. */
async function checkEvents(response: Response, { contentSchema }: Json, id: string): Promise<void> {
  const types: string[] = [];
  let text = '';
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const frames = (text + part).split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (data === undefined) continue;
      const event = JSON.parse(data) as { type: string };
      types.push(event.type);
      const eventSchema = `#/components/schemas/${eventSchemaName(event.type)}`;
      expect(
        validator.problemOf({ $ref: eventSchema }, event),
        `${id}: ${data.slice(0, 2000)}`,
      ).toBeUndefined();
      expect(validator.problemOf(contentSchema, event), `${id}: ${data.slice(0, 500)}`).toBeUndefined();
    }
    if (types.length > 0 && !/^(watchGeneration|sendMessage)$/.test(id)) break;
  }
  expect(types[0], id).toBe('snapshot');
  if (/^(watchGeneration|sendMessage)$/.test(id)) expect(types.at(-1), id).toBe('generation.completed');
}

describe('what the document says, the server does', () => {
  test('every example of every operation is taken, and answered as it says', async () => {
    const check = async ({ method, path, operation }: ReturnType<typeof operations>[number]) => {
      const [content] = Object.entries(operation.requestBody?.content ?? {});
      const examples = content ? Object.values(content[1].examples ?? {}) : [undefined];
      expect(examples.length, operation.operationId).toBeGreaterThan(0);
      for (const example of examples) {
        const place = /\{|events$/.test(path) ? await placeOf(operation.operationId) : {};
        const init = content && example ? requestBody(content[0], example.value) : undefined;
        const status = await send({ operation, method, path, place, ...(init && { init }) });
        expect(status, `${operation.operationId} ${JSON.stringify(example)}`).toBeLessThan(300);
      }
      answered.add(operation.operationId);
    };
    const someAtOnce = pLimit(6);
    await Promise.all(operations().map((one) => someAtOnce(check, one)));
    expect(answered.size).toBe(operations().length);
  }, 180_000);

  test('a message is also answered by its stream, or when it has been answered', async () => {
    const found = operations().find(({ operation }) => operation.operationId === 'sendMessage');
    if (!found) throw new Error('there is no such operation');
    const init = requestBody('application/json', {
      content: 'Hello',
      generate: { model: 'demo', maxTokens: 20 },
    });
    const place = { id: await ada.converse() };
    expect(await send({ ...found, place, init, headers: { accept: 'text/event-stream' } })).toBe(200);
    expect(
      await send({ ...found, place, init, headers: { prefer: 'wait=20', 'idempotency-key': 'once' } }),
    ).toBe(200);
    expect(await send({ ...found, place, init, headers: { 'idempotency-key': 'once' } })).toBe(202);
    const other = requestBody('application/json', { content: 'Something else' });
    expect(await send({ ...found, place, init: other, headers: { 'idempotency-key': 'once' } })).toBe(422);
  });

  test('who has no token is refused, as it says', async () => {
    for (const { method, path, operation } of operations()) {
      if (!operation.security.some((needed) => 'session' in needed)) continue;
      expect(await send({ operation, method, path, headers: { authorization: '' } })).toBe(401);
    }
  });

  test('what is not there is not found, as it says', async () => {
    for (const { method, path, operation } of operations()) {
      if (!/^\/v1\/.*\{/.test(path)) continue;
      const [content] = Object.entries(operation.requestBody?.content ?? {});
      const example = Object.values(content?.[1].examples ?? {})[0];
      const place = {
        id: '019ab3c0-0000-7000-8000-000000000000',
        userId: 'nobody',
        token: 'none',
        index: '0',
      };
      const init = content && example ? requestBody(content[0], example.value) : undefined;
      expect(
        await send({ operation, method, path, place, ...(init && { init }) }),
        operation.operationId,
      ).toBe(404);
    }
  });

  test('a body that is none of it is refused, as it says', async () => {
    for (const { method, path, operation } of operations()) {
      if (!operation.requestBody) continue;
      const place = path.includes('{') ? await placeOf(operation.operationId) : {};
      const init = { body: '[', headers: { 'content-type': 'application/json' } };
      const status = await send({ operation, method, path, place, init });
      expect(status, operation.operationId).toBe(operation.operationId === 'uploadDocument' ? 415 : 400);
    }
  });
});

test('the page of the document, and that of the socket, are where they are said to be', async () => {
  const asyncApi = (await (await fetch(`${url}/asyncapi.json`)).json()) as Json;
  expect(asyncApi).toMatchObject({
    asyncapi: '3.0.0',
    servers: { default: { host: new URL(url).host, protocol: 'ws' } },
  });
});
