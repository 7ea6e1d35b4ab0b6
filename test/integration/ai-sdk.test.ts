import { randomUUID } from 'node:crypto';
import { lastAssistantMessageIsCompleteWithToolCalls, type UIMessage } from 'ai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GenerationOptions } from '../../src/client/index.js';
import { callAsAdmin } from '../support/admin.js';
import { Person } from '../support/person.js';
import { openScene, type Scene } from '../support/scene.js';
import type { UpstreamRequest } from '../support/upstream.js';
import { textIn, UiChat } from '../support/ui-chat.js';

/** The door of the AI SDK, with the SDK's own chat and transport, and a model that does what the test says. */

let scene: Scene;
let ada: Person;

beforeAll(async () => {
  scene = await openScene();
  ({ ada } = scene);
});

afterAll(async () => {
  await scene.close();
});

interface Asked {
  chat: UiChat;
  model: UpstreamRequest;
  prompt: string;
  /** Resolves when the SDK has seen the end of the answer. */
  sent: Promise<void>;
}

const newChat = (options: Partial<ConstructorParameters<typeof UiChat>[2]> = {}, person = ada): UiChat =>
  new UiChat(scene.system.api(), person, { id: `chat ${randomUUID()}`, ...options });

/** Asks something that the model is asked once. */
async function ask(chat: UiChat): Promise<Asked> {
  const prompt = `a prompt, ${randomUUID()}`;
  const sent = chat.sendMessage({ text: prompt });
  return { chat, prompt, sent, model: await scene.modelFor(prompt) };
}

/** The conversation that a chat stands for, by the answer that it has. */
const conversationOf = ({ lastMessage }: UiChat): string =>
  (lastMessage?.metadata as { conversationId: string }).conversationId;

const generationOf = async ({ lastMessage }: UiChat) =>
  ada.http.getGeneration((lastMessage?.metadata as { generationId: string }).generationId);

/** What a chat shows, without ids. */
const shown = ({ messages }: UiChat) => messages.map((message) => `${message.role}: ${textIn(message)}`);

const openDoor: GenerationOptions = {
  tools: [
    {
      name: 'open_door',
      description: 'Opens a door.',
      inputSchema: { type: 'object', properties: { door: { type: 'string' } } },
    },
  ],
};

/** What was told, without what is absent and without data parts, which are not stored. */
const asStored = (messages: UIMessage[]) =>
  (JSON.parse(JSON.stringify(messages)) as UIMessage[]).map(({ id, role, metadata, parts }) => ({
    id,
    role,
    ...(role === 'assistant' && { metadata }),
    parts: parts
      .filter(({ type }) => !type.startsWith('data-'))
      .map((part) =>
        part.type === 'reasoning' ? { type: part.type, text: part.text, state: part.state } : part,
      ),
  }));

/** Whoever loads the page again has what the streams have told. */
async function expectStored(chat: UiChat): Promise<void> {
  expect(asStored(await chat.history())).toMatchObject(asStored(chat.messages));
}

/** A request of the door, without the SDK. */
const post = (
  id: string,
  last: object,
  more: object = {},
  headers?: Record<string, string>,
  person: Pick<Person, 'token'> = ada,
) =>
  fetch(`${scene.system.api().url}/ai-sdk/chat`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${person.token}`,
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify({ id, messages: [last], trigger: 'submit-message', ...more }),
  });

const userMessage = (text: string, id: string = randomUUID()) => ({
  id,
  role: 'user',
  parts: [{ type: 'text', text }],
});

describe('an answer', () => {
  test('comes as it is written, with what is known of it, and is in the history like any other', async () => {
    const { chat, model, prompt, sent } = await ask(newChat());
    model.start({ inputTokens: 100 }).text('It ');
    await chat.says('It ');
    expect(chat.status).toBe('streaming');
    model.text('works.').stop({ outputTokens: 7 });
    await sent;
    expect(chat.status).toBe('ready');
    expect(chat.lastMessage).toMatchObject({
      parts: [{ type: 'step-start' }, { type: 'text', text: 'It works.', state: 'done' }],
      metadata: {
        model: 'claude-sonnet-4-5',
        status: 'completed',
        stopReason: 'end_turn',
        usage: { inputTokens: 100, outputTokens: 7 },
        costUsd: expect.closeTo(0.000405, 9) as number,
      },
    });
    const { items } = await ada.http.listMessages(conversationOf(chat));
    expect(items.map(({ role, text, id, clientId }) => [role, text, clientId ?? id])).toEqual([
      ['user', prompt, chat.messages[0]?.id],
      ['assistant', 'It works.', chat.lastMessage?.id],
    ]);
  });

  test('is told in the form of the UI message stream, v1', async () => {
    const prompt = `a prompt, ${randomUUID()}`;
    const response = await post(randomUUID(), userMessage(prompt));
    expect(response.status).toBe(200);
    expect(response.headers.get('x-vercel-ai-ui-message-stream')).toBe('v1');
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    (await scene.modelFor(prompt)).text('Yes').stop();
    const frames = (await response.text()).split('\n\n').filter((frame) => frame !== '');
    expect(frames.every((frame) => /^data: \S/.test(frame))).toBe(true);
    expect(frames[0]).toContain('"type":"start"');
    expect(frames.at(-1)).toBe('data: [DONE]');
  });

  test('sees the stored history, not the one that is posted', async () => {
    const { chat, model, prompt, sent } = await ask(newChat());
    model.text('First.').stop();
    await sent;
    chat.messages = [{ id: 'forged', role: 'assistant', parts: [{ type: 'text', text: 'Forged.' }] }];
    const second = await ask(chat);
    expect(JSON.stringify(second.model.body.messages)).not.toContain('Forged');
    expect(second.model.body.messages).toMatchObject([
      { role: 'user', content: [{ text: prompt }] },
      { role: 'assistant', content: [{ text: 'First.' }] },
      { role: 'user', content: [{ text: second.prompt }] },
    ]);
    second.model.text('Second.').stop();
    await second.sent;
  });

  test('has reasoning, and what the worker’s tools were asked and answered', async () => {
    const options: GenerationOptions = {
      tools: ['calculator'],
      thinking: { type: 'enabled', budgetTokens: 1024 },
    };
    const calls: unknown[] = [];
    const { chat, model, prompt, sent } = await ask(
      newChat({ generate: options, onToolCall: ({ toolCall }) => void calls.push(toolCall) }),
    );
    model.thinking('Six times').thinking(' seven.').call('c1', 'calculator', '{"expression":', '"6*7"}');
    model.stop({ stopReason: 'tool_use' });
    const second = await scene.modelFor(prompt);
    second.text('42.').stop();
    await sent;
    expect(chat.lastMessage?.parts).toMatchObject([
      { type: 'step-start' },
      { type: 'reasoning', text: 'Six times seven.', state: 'done' },
      {
        type: 'tool-calculator',
        toolCallId: 'c1',
        state: 'output-available',
        input: { expression: '6*7' },
        output: '42',
      },
      { type: 'step-start' },
      { type: 'text', text: '42.' },
    ]);
    // They are not the client's to run.
    expect(calls).toEqual([]);
    await expectStored(chat);
  });

  test('brings objects and warnings as data parts, and progress to `onData` alone', async () => {
    const seen = new Set<string>();
    const { chat, model, sent } = await ask(
      newChat({
        generate: { output: 'json', maxTokens: 100 },
        onData: ({ type }) => void seen.add(type),
      }),
    );
    model.start().text('{"name":').text('"Ada"}').stop({ stopReason: 'max_tokens', outputTokens: 100 });
    await sent;
    const data = chat.lastMessage?.parts.filter(({ type }) => type.startsWith('data-'));
    expect(data).toContainEqual({
      type: 'data-object',
      id: 'object-0',
      data: { index: 0, value: { name: 'Ada' }, complete: true },
    });
    expect(data?.every(({ type }) => type === 'data-object' || type === 'data-warning')).toBe(true);
    expect(seen).toContain('data-progress');
  });

  test('that fails is an error, with what was written before', async () => {
    const { chat, model, sent } = await ask(newChat());
    model.text('Well');
    await chat.says('Well');
    model.error({ type: 'invalid_request_error', message: 'No more of this.' });
    await sent;
    expect(chat.status).toBe('error');
    expect(chat.error?.message).toMatch(/No more of this/);
    expect(chat.lastMessage).toMatchObject({
      metadata: { status: 'failed', error: { code: 'provider_error' } },
    });
    expect(textIn(chat.messages[1] as UIMessage)).toBe('Well');
  });
});

describe('tools of the client', () => {
  test('are run by it, and the answer goes on in its message, also for who comes back in the middle', async () => {
    const chat = newChat({
      generate: openDoor,
      sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls,
      onToolCall: ({ toolCall }) => {
        const { toolCallId, toolName } = toolCall;
        void chat.addToolOutput({ tool: toolName, toolCallId, output: { open: toolCall.input } });
      },
    });
    const { model, prompt } = await ask(chat);
    model.text('Let me see.').call('d1', 'open_door', '{"door":"left"}').stop({ stopReason: 'tool_use' });
    const second = await scene.modelFor(prompt);
    expect(second.body.tools).toMatchObject([{ name: 'open_door' }]);
    expect(second.body.messages.at(-1)).toMatchObject({
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'd1', content: '{"open":{"door":"left"}}' }],
    });
    second.text('It is');
    await chat.says('It is');

    const whole = [
      { type: 'step-start' },
      { type: 'text', text: 'Let me see.' },
      { type: 'tool-open_door', state: 'output-available', output: { open: { door: 'left' } } },
      { type: 'step-start' },
      { type: 'text', text: 'It is open.' },
    ];
    const reloaded = chat.reloaded();
    const resumed = reloaded.resumeStream();
    await reloaded.says('It is');
    second.text(' open.').stop();
    await Promise.all([resumed, chat.until(() => chat.status === 'ready')]);
    for (const each of [chat, reloaded]) expect(each.lastMessage?.parts).toMatchObject(whole);
    expect(reloaded.lastMessage?.id).toBe(chat.lastMessage?.id);
    expect(chat.messages).toHaveLength(2);
    await expectStored(chat);
    expect(scene.upstream.requests.filter(({ body }) => JSON.stringify(body).includes(prompt))).toHaveLength(
      2,
    );
  });

  test('may fail, and be answered by `addToolResult` later', async () => {
    const { chat, model, prompt, sent } = await ask(newChat({ generate: openDoor }));
    model.call('d1', 'open_door', '{}').stop({ stopReason: 'tool_use' });
    await sent;
    await chat.addToolOutput({
      tool: 'open_door',
      toolCallId: 'd1',
      state: 'output-error',
      errorText: 'It is stuck.',
    });
    const again = chat.sendMessage();
    const second = await scene.modelFor(prompt);
    expect(second.body.messages.at(-1)).toMatchObject({
      content: [{ type: 'tool_result', tool_use_id: 'd1', content: 'It is stuck.', is_error: true }],
    });
    second.text('A pity.').stop();
    await again;
    expect(chat.messages).toHaveLength(2);
    expect(chat.lastMessage?.parts).toMatchObject([
      { type: 'step-start' },
      { type: 'tool-open_door', state: 'output-error' },
      { type: 'step-start' },
      { type: 'text', text: 'A pity.' },
    ]);
    await expectStored(chat);
  });

  test('that nobody called cannot be answered', async () => {
    const part = { type: 'tool-x', toolCallId: 'none', state: 'output-available', output: 1 };
    const response = await post(randomUUID(), { id: 'a', role: 'assistant', parts: [part] });
    expect(response.status).toBe(400);
    const nothing = await post(randomUUID(), { id: 'a', role: 'assistant', parts: [] });
    expect(await nothing.json()).toMatchObject({ code: 'invalid_request' });
  });
});

describe('coming back', () => {
  test('replays the answer from its first chunk; when nothing runs there is nothing to resume', async () => {
    const { chat, model, sent } = await ask(newChat());
    model.text('One, ');
    await chat.says('One');
    await chat.stop(); // as a page does that is closed
    await sent;
    model.text('two, ');

    const reloaded = chat.reloaded(chat.messages);
    const resumed = reloaded.resumeStream();
    await reloaded.says('One, two, ');
    model.text('three.').stop();
    await resumed;
    expect(shown(reloaded)).toEqual([
      `user: ${textIn(chat.messages[0] as UIMessage)}`,
      'assistant: One, two, three.',
    ]);
    expect(reloaded.lastMessage?.id).toBe(chat.lastMessage?.id);

    await reloaded.resumeStream();
    expect([reloaded.status, reloaded.messages.length]).toEqual(['ready', 2]);
    const unknown = await ada.call('GET', '/ai-sdk/chat/never-used/stream');
    expect(unknown.status).toBe(204);
  });

  test('works while the answer still waits for the model', async () => {
    const { chat, model, sent } = await ask(newChat());
    const reloaded = chat.reloaded();
    const resumed = reloaded.resumeStream();
    await reloaded.until(() => reloaded.lastMessage?.role === 'assistant');
    model.text('At last.').stop();
    await Promise.all([sent, resumed]);
    expect(shown(reloaded)).toEqual(['assistant: At last.']);
  });

  test('helps when the api goes in mid-answer: the client notices, and gets all of it from another', async () => {
    const leaving = await scene.system.add('api');
    const chat = new UiChat(leaving, ada, { id: randomUUID() });
    const { model, sent } = await ask(chat);
    model.text('Before, ');
    await chat.says('Before');
    leaving.kill('SIGTERM');
    await sent;
    expect(chat.status).toBe('error');
    const elsewhere = chat.reloaded([], scene.system.api());
    const resumed = elsewhere.resumeStream();
    await elsewhere.says('Before, ');
    model.text('after.').stop();
    await resumed;
    expect(shown(elsewhere)).toEqual(['assistant: Before, after.']);
    await leaving.exited();
  });
});

describe('stopping', () => {
  test('really stops, for everybody; leaving alone does not', async () => {
    const { chat, model, sent } = await ask(newChat());
    model.text('On and on');
    await chat.says('On and on');
    await chat.stop();
    await sent;
    expect(await generationOf(chat)).toMatchObject({ status: 'running' });

    const other = chat.reloaded();
    const resumed = other.resumeStream();
    await other.says('On and on');
    const answer = await chat.stopForAll();
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ generations: [{ conversationId: conversationOf(chat) }] });
    await Promise.all([model.closed, resumed]);
    expect(other.status).toBe('ready');
    expect(other.lastMessage).toMatchObject({
      metadata: { status: 'cancelled', stopReason: 'cancelled' },
      parts: [{ type: 'step-start' }, { type: 'text', text: 'On and on', state: 'done' }],
    });
    const { items } = await ada.http.listMessages(conversationOf(chat));
    expect(items.at(-1)).toMatchObject({ text: 'On and on', status: 'partial' });
    expect((await other.history()).at(-1)).toMatchObject(asStored(other.messages)[0] ?? {});
    expect(await newChat().history()).toEqual([]);
  });

  test('is nothing to complain about where nothing runs', async () => {
    const { status, body } = await ada.call('POST', '/ai-sdk/chat/never-used/stop');
    expect([status, body]).toEqual([200, { generations: [] }]);
  });
});

describe('asking again', () => {
  test('edits a message: what follows it is dropped', async () => {
    const first = await ask(newChat());
    first.model.text('First.').stop();
    await first.sent;
    const { chat } = first;
    const edited = `edited, ${randomUUID()}`;
    const sent = chat.sendMessage({ text: edited, messageId: chat.messages[0]?.id ?? '' });
    const model = await scene.modelFor(edited);
    expect(model.body.messages).toMatchObject([{ role: 'user', content: [{ text: edited }] }]);
    model.text('Second.').stop();
    await sent;
    expect(shown(chat)).toEqual([`user: ${edited}`, 'assistant: Second.']);
    const { items } = await ada.http.listMessages(conversationOf(chat));
    expect(items.map(({ text }) => text)).toEqual([edited, 'Second.']);
  });

  test('regenerates an answer, also one that was never accepted', async () => {
    const first = await ask(newChat());
    const { chat, prompt } = first;
    first.model.text('First.').stop();
    await first.sent;
    const again = chat.regenerate();
    const model = await scene.modelFor(prompt);
    model.text('Better.').stop();
    await again;
    expect(shown(chat)).toEqual([`user: ${prompt}`, 'assistant: Better.']);
    const { items } = await ada.http.listMessages(conversationOf(chat));
    expect(items.map(({ text }) => text)).toEqual([prompt, 'Better.']);

    const refused = newChat({ generate: { model: 'gpt-5' } });
    const text = `refused, ${randomUUID()}`;
    await refused.sendMessage({ text });
    expect(JSON.parse(refused.error?.message ?? '')).toMatchObject({
      code: 'unsupported_model',
      status: 422,
    });
    const accepted = refused.regenerate({ body: { generate: {} } });
    (await scene.modelFor(text)).text('Now.').stop();
    await accepted;
    expect(shown(refused)).toEqual([`user: ${text}`, 'assistant: Now.']);
  });

  test('with a message that came before answers with its answer', async () => {
    const { chat, model, prompt, sent } = await ask(newChat());
    model.text('Once.').stop();
    await sent;
    const repeated = await post(chat.id, userMessage(prompt, chat.messages[0]?.id));
    expect(await repeated.text()).toContain('Once.');
    const { items } = await ada.http.listMessages(conversationOf(chat));
    expect(items).toHaveLength(2);
  });

  test('with the same Idempotency-Key does so, too; with another body it is refused', async () => {
    const id = randomUUID();
    const key = { 'idempotency-key': randomUUID() };
    const prompt = `a prompt, ${randomUUID()}`;
    const responses = [
      await post(id, userMessage(prompt, 'a'), {}, key),
      await post(id, userMessage(prompt, 'a'), {}, key),
    ];
    expect(responses.map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true']);
    (await scene.modelFor(prompt)).text('Once.').stop();
    for (const response of responses) expect(await response.text()).toContain('Once.');
    expect((await post(id, userMessage('another', 'b'), {}, key)).status).toBe(422);
  });
});

describe('a chat', () => {
  test('is one conversation, however many first messages come at once', async () => {
    const id = randomUUID();
    const texts = Array.from({ length: 8 }, (_, n) => `at once ${n}, ${randomUUID()}`);
    const responses = await Promise.all(texts.map((text) => post(id, userMessage(text))));
    expect(responses.map(({ status }) => status)).toEqual(texts.map(() => 200));
    const { body } = await ada.call<{ items: { id: string; running: number }[] }>('GET', '/v1/conversations');
    const [{ id: conversationId, running } = { id: '', running: 0 }] = body.items;
    expect(running).toBe(texts.length);
    const { items } = await ada.http.listMessages(conversationId);
    expect(items.flatMap(({ role, text }) => (role === 'user' ? [text] : [])).sort()).toEqual(texts.sort());
    const stopped = await ada.call<{ generations: unknown[] }>('POST', `/ai-sdk/chat/${id}/stop`);
    expect(stopped.body.generations).toHaveLength(texts.length);
    for (const response of responses) expect(await response.text()).toContain('[DONE]');
  });

  test('is each user’s own, whatever its name is', async () => {
    const noor = await Person.signIn(scene.system.api(), 'Noor');
    const id = `a/b?c#d e&é ${randomUUID()}`;
    const adas = newChat({ id });
    const noors = newChat({ id }, noor);
    const [one, two] = [await ask(adas), await ask(noors)];
    const reloaded = adas.reloaded();
    const resumed = reloaded.resumeStream();
    one.model.text('For Ada.').stop();
    await Promise.all([one.sent, resumed]);
    expect(shown(reloaded)).toEqual(['assistant: For Ada.']);
    await noors.stopForAll();
    await two.sent;
    expect(conversationOf(noors)).not.toBe(conversationOf(adas));
    expect((await noor.call('GET', `/v1/conversations/${conversationOf(adas)}`)).status).toBe(404);
  });

  test('that was deleted begins anew', async () => {
    const first = await ask(newChat());
    first.model.text('Old.').stop();
    await first.sent;
    const conversationId = conversationOf(first.chat);
    await ada.call('DELETE', `/v1/conversations/${conversationId}`);
    const second = await ask(first.chat);
    expect(second.model.body.messages).toHaveLength(1);
    second.model.text('New.').stop();
    await second.sent;
    expect(conversationOf(second.chat)).not.toBe(conversationId);
  });

  test('ends for its reader when it is deleted in mid-answer', async () => {
    const { chat, model, sent } = await ask(newChat());
    model.text('Half');
    await chat.says('Half');
    await ada.call('DELETE', `/v1/conversations/${conversationOf(chat)}`);
    await sent;
    expect(chat.status).toBe('ready');
    expect(chat.lastMessage).toMatchObject({ metadata: { status: 'cancelled' } });
  });

  test('counts against budgets and limits like any other', async () => {
    const poor = await Person.signIn(scene.system.api(), 'Poor');
    await callAsAdmin(scene.system.api(), 'PUT', `/admin/budgets/users/${poor.user.id}`, {
      body: { limitUsd: 0 },
    });
    const response = await post(randomUUID(), userMessage('Anything'), {}, {}, poor);
    expect([response.status, await response.json()]).toMatchObject([402, { code: 'budget_exceeded' }]);
    expect((await poor.call<{ items: [] }>('GET', '/v1/conversations')).body.items).toEqual([]);
  });

  test.for([
    ['no messages', { messages: [] }],
    ['a name that is too long', { id: 'x'.repeat(129) }],
    ['an empty message', { messages: [userMessage('')] }],
    ['a message that is too long', { messages: [userMessage('x'.repeat(32_001))] }],
    [
      'a file',
      {
        messages: [
          { id: 'a', role: 'user', parts: [{ type: 'file', mediaType: 'image/png', url: 'data:' }] },
        ],
      },
    ],
    ['a system message', { messages: [{ id: 'a', role: 'system', parts: [] }] }],
    ['an option that is none', { generate: { modle: 'x' } }],
    ['another trigger', { trigger: 'resume-stream' }],
  ] as const)('refuses %s', async ([, fault]) => {
    const response = await post(randomUUID(), userMessage('Hello'), fault);
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toMatch(/problem\+json/);
  });

  test('is for who has a session', async () => {
    const nobody = { token: 'none' };
    expect((await post(randomUUID(), userMessage('Hello'), {}, {}, nobody)).status).toBe(401);
    expect((await ada.call('GET', `/ai-sdk/chat/${'x'.repeat(129)}/stream`)).status).toBe(400);
  });
});
