import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ContentBlock, GenerationOptions } from '../../src/client/index.js';
import type { SocketClient } from '../support/clients.js';
import { mcpConfigFile, startMcpUpstream, type McpUpstream } from '../support/mcp-upstream.js';
import type { Person } from '../support/person.js';
import { openScene, type Asked, type Scene } from '../support/scene.js';
import type { UpstreamRequest } from '../support/upstream.js';

/** Tools from the model's call to its answer, with a model and an MCP server that do what the test says. */

let scene: Scene;
let mcp: McpUpstream;
let ada: Person;

beforeAll(async () => {
  mcp = await startMcpUpstream();
  const file = await mcpConfigFile({
    test: { url: '${MCP_URL}', tools: ['wait', 'shout', 'fail', 'gone'], timeoutMs: 20_000 },
    away: { url: 'http://127.0.0.1:1/mcp' },
  });
  scene = await openScene({ env: { MCP_CONFIG_FILE: file, MCP_URL: mcp.url } });
  ({ ada } = scene);
});

afterAll(async () => {
  await scene.close();
  await mcp.close();
});

interface Watched extends Asked {
  watcher: SocketClient;
  /** The next request to the model for the same prompt. */
  nextModel: () => Promise<UpstreamRequest>;
}

const askWatched = async (options: GenerationOptions): Promise<Watched> => {
  const conversationId = await ada.converse();
  const watcher = ada.socket(conversationId);
  await watcher.connect();
  const asked = await scene.ask({ conversationId, options });
  return { ...asked, watcher, nextModel: () => scene.modelFor(asked.prompt.text) };
};

const lastTurns = ({ body }: UpstreamRequest, count: number) => body.messages.slice(-count);
const call = (id: string, name: string, input: unknown) => ({ type: 'tool_use', id, name, input });
const result = (id: string, content: string, failed = false) => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
  ...(failed && { is_error: true }),
});
const text = (value: string) => ({ type: 'text', text: value });

describe('tools that the worker runs', () => {
  test('answer the model, which goes on: one message for everybody, however many rounds', async () => {
    const { model, generation, watcher, nextModel } = await askWatched({
      tools: ['calculator', 'get_weather'],
    });
    expect(model.body.tools).toMatchObject([
      { name: 'calculator', input_schema: { type: 'object', required: ['expression'] } },
      { name: 'get_weather', input_schema: { type: 'object', required: ['city'] } },
    ]);
    model.start({ inputTokens: 100 }).text('Let me see.');
    model.call('c1', 'calculator', '{"expres', 'sion":"6*', '7"}');
    model.call('c2', 'get_weather', '{"city":"Paris"}');
    model.stop({ stopReason: 'tool_use', outputTokens: 20 });

    const second = await nextModel();
    const weather = watcher.of('generation.tool_result').find(({ name }) => name === 'get_weather');
    expect(lastTurns(second, 2)).toEqual([
      {
        role: 'assistant',
        content: [
          text('Let me see.'),
          call('c1', 'calculator', { expression: '6*7' }),
          call('c2', 'get_weather', { city: 'Paris' }),
        ],
      },
      { role: 'user', content: [result('c1', '42'), result('c2', weather?.output ?? '')] },
    ]);
    second.start({ inputTokens: 150 }).call('c3', 'calculator', '{"expression":"1+"}');
    second.stop({ stopReason: 'tool_use', outputTokens: 5 });
    const third = await nextModel();
    expect(lastTurns(third, 1)).toMatchObject([
      { role: 'user', content: [{ tool_use_id: 'c3', is_error: true }] },
    ]);
    third.start({ inputTokens: 180 }).text('It is 42.').stop({ outputTokens: 7 });

    const end = await watcher.ended(generation.id);
    expect(end.generation).toMatchObject({
      status: 'completed',
      stopReason: 'end_turn',
      usage: { inputTokens: 430, outputTokens: 32 },
    });
    expect(end.message).toMatchObject({ text: 'Let me see.It is 42.', status: 'complete' });
    const stored = await ada.http.getGeneration(generation.id);
    expect(stored.text).toBe('Let me see.It is 42.');
    expect(stored.content).toEqual(end.message?.content);
    expect(stored.content.map(({ type }) => type).join(' ')).toBe(
      'text tool_use tool_use tool_result tool_result tool_use tool_result text',
    );

    const chunks = watcher.of('generation.chunk').map(({ chunk }) => chunk);
    for (const type of ['message_start', 'message_delta', 'message_stop'])
      expect(chunks.filter((chunk) => chunk.type === type)).toHaveLength(1);
    expect(chunks.flatMap((chunk) => (chunk.type === 'content_block_start' ? chunk.index : []))).toEqual([
      0, 1, 2, 3, 4,
    ]);
    expect(watcher.of('generation.tool_result')).toMatchObject([
      { cursor: expect.any(String) as string, isError: false },
      { isError: false },
      { toolUseId: 'c3', name: 'calculator', isError: true },
    ]);
  });

  test('run at the same time; who joins meanwhile sees the calls and the results so far', async () => {
    const { conversationId, model, generation, nextModel } = await askWatched({ tools: ['test__wait'] });
    model.call('w1', 'test__wait', '{"question":"one"}').call('w2', 'test__wait', '{"question":"two"}');
    model.stop({ stopReason: 'tool_use' });
    const [one, two] = [await mcp.nextCall(), await mcp.nextCall()];
    const [first, second] = one.question === 'one' ? [one, two] : [two, one];
    second.answer('second');

    const late = ada.socket(conversationId);
    await late.connect();
    const content = () => late.state?.generations[0]?.content ?? [];
    await late.until(() => content().length === 3);
    expect(content()).toEqual([
      call('w1', 'test__wait', { question: 'one' }),
      call('w2', 'test__wait', { question: 'two' }),
      result('w2', 'second'),
    ]);
    expect((await ada.http.getGeneration(generation.id)).content).toEqual(content());
    first.answer('first', { isError: true });
    const again = await nextModel();
    expect(lastTurns(again, 1)).toEqual([
      { role: 'user', content: [result('w1', 'first', true), result('w2', 'second')] },
    ]);
    again.text('Done').stop();
    await late.ended(generation.id);
    expect(late.written(generation.id)).toBe('Done');
  });

  test('are told to stop when the generation is cancelled', async () => {
    const { model, generation, watcher } = await askWatched({ tools: ['test__wait'] });
    model.text('Wait.').call('w1', 'test__wait', '{"question":"one"}').stop({ stopReason: 'tool_use' });
    const held = await mcp.nextCall();
    await ada.http.cancelGeneration(generation.id);
    await held.cancelled;
    const { message } = await watcher.ended(generation.id);
    expect(message?.content).toEqual([text('Wait.'), call('w1', 'test__wait', { question: 'one' })]);
    expect(message?.status).toBe('partial');
  });

  test('run out of time with the generation, not with the silence of the model', async () => {
    const { model, generation, watcher } = await askWatched({
      tools: ['test__wait'],
      timeoutMs: 2000,
      idleTimeoutMs: 300,
    });
    model.call('w1', 'test__wait', '{"question":"one"}').stop({ stopReason: 'tool_use' });
    const held = await mcp.nextCall();
    await held.cancelled;
    expect((await watcher.ended(generation.id)).generation).toMatchObject({
      status: 'failed',
      error: { code: 'timeout' },
    });
  });

  test('give the model its time for silence anew', async () => {
    const { model, generation, watcher, nextModel } = await askWatched({
      tools: ['test__wait'],
      idleTimeoutMs: 300,
      firstTokenTimeoutMs: 60_000,
    });
    model.call('w1', 'test__wait', '{"question":"one"}').stop({ stopReason: 'tool_use' });
    (await mcp.nextCall()).answer('first');
    const again = await nextModel();
    await again.start().closed;
    expect((await watcher.ended(generation.id)).generation).toMatchObject({
      status: 'failed',
      error: { code: 'idle_timeout' },
    });
  });

  test('are called for ten rounds at the most', async () => {
    const { model, generation, watcher, nextModel } = await askWatched({ tools: ['calculator'] });
    let asked = model;
    for (let round = 1; round <= 11; round += 1) {
      asked.call(`c${round}`, 'calculator', `{"expression":"${round}"}`).stop({ stopReason: 'tool_use' });
      if (round < 11) asked = await nextModel();
    }
    const end = await watcher.ended(generation.id);
    expect(end.generation).toMatchObject({
      status: 'failed',
      error: { code: 'tool_failed', provider: null },
    });
    expect(end.message?.content.filter(({ type }) => type === 'tool_result')).toHaveLength(10);
  });

  test('fail the generation where their server is away, or has no such tool', async () => {
    for (const [tool, problem] of [
      ['away__any', 'The MCP server away cannot be reached.'],
      ['test__gone', 'The MCP server test has no tool named gone.'],
    ] as const) {
      const { generation } = await ada.ask(await ada.converse(), 'Hi', { tools: [tool] });
      expect(await ada.ended(generation.id)).toMatchObject({
        status: 'failed',
        error: { code: 'tool_failed', message: problem },
      });
    }
  });

  test('are gone on from after a break in a later round, and not run again', async () => {
    const ranBefore = mcp.ran.length;
    const { model, generation, watcher, nextModel } = await askWatched({ tools: ['test__shout'] });
    model.text('A ').call('s1', 'test__shout', '{"text":"hey"}').stop({ stopReason: 'tool_use' });
    const second = await nextModel();
    second.text('B ');
    await watcher.until(() => watcher.written(generation.id) === 'A B ');
    second.cut();
    const third = await nextModel();
    expect(lastTurns(third, 3)).toEqual([
      { role: 'assistant', content: [text('A '), call('s1', 'test__shout', { text: 'hey' })] },
      { role: 'user', content: [result('s1', 'HEY')] },
      { role: 'assistant', content: [text('B')] },
    ]);
    third.text(' C').stop();
    const { message } = await watcher.ended(generation.id);
    expect(message?.text).toBe('A B C');
    expect(watcher.of('generation.tool_result')).toHaveLength(1);
    expect(watcher.of('generation.reset')).toEqual([]);
    expect(mcp.ran.length).toBe(ranBefore + 1);
  });

  test('are called where the text breaks off before them, or before their input has come', async () => {
    const { model, generation, watcher, nextModel } = await askWatched({ tools: ['test__shout'] });
    model.text('Let me see.');
    await watcher.until(() => watcher.written(generation.id) === 'Let me see.');
    model.cut();
    const second = await nextModel();
    second.block({ type: 'tool_use', id: 's1', name: 'test__shout', input: {} });
    second.delta({ type: 'input_json_delta', partial_json: '{"te' });
    await watcher.until(() => JSON.stringify(watcher.state?.generations).includes('{\\"te'));
    second.cut();
    const third = await nextModel();
    third.call('s2', 'test__shout', '{"text":"hey"}').stop({ stopReason: 'tool_use' });
    const fourth = await nextModel();
    expect(lastTurns(fourth, 2)[1]).toEqual({ role: 'user', content: [result('s2', 'HEY')] });
    fourth.text('It is.').stop();
    const { message } = await watcher.ended(generation.id);
    expect(message?.content).toEqual([
      text('Let me see.'),
      call('s2', 'test__shout', { text: 'hey' }),
      result('s2', 'HEY'),
      text('It is.'),
    ]);
  });

  test('keep their results where the round behind them breaks off in a thought', async () => {
    const ranBefore = mcp.ran.length;
    const { model, generation, watcher, nextModel } = await askWatched({
      tools: ['test__shout'],
      maxTokens: 4000,
      thinking: { type: 'enabled', budgetTokens: 2000 },
    });
    model.thinking('Hm').delta({ type: 'signature_delta', signature: 'signed' });
    model.call('s1', 'test__shout', '{"text":"hey"}').stop({ stopReason: 'tool_use' });
    const second = await nextModel();
    const thought = { type: 'thinking', thinking: 'Hm', signature: 'signed' };
    const round = { role: 'assistant', content: [thought, call('s1', 'test__shout', { text: 'hey' })] };
    expect(lastTurns(second, 2)[0]).toEqual(round);
    second.thinking('So it');
    await watcher.until(() => JSON.stringify(watcher.state?.generations).includes('So it'));
    second.cut();
    const third = await nextModel();
    expect(lastTurns(third, 2)).toEqual([round, { role: 'user', content: [result('s1', 'HEY')] }]);
    third.text('It is.').stop();
    const { message } = await watcher.ended(generation.id);
    const content = [
      thought,
      call('s1', 'test__shout', { text: 'hey' }),
      result('s1', 'HEY'),
      text('It is.'),
    ];
    expect(message?.content).toEqual(content);
    expect(watcher.of('generation.reset')).toHaveLength(1);
    expect(mcp.ran.length).toBe(ranBefore + 1);
  });
});

describe('tools that the client runs', () => {
  const theirs = {
    name: 'open_door',
    description: 'Opens a door.',
    inputSchema: { type: 'object', properties: { door: { type: 'string' } } },
  };

  test('end the generation, and it goes on from their results with the same options', async () => {
    const { conversationId, model, generation, watcher } = await askWatched({
      tools: [theirs],
      maxTokens: 333,
      model: 'claude-haiku-4-5',
    });
    expect(model.body.tools).toEqual([
      { name: 'open_door', description: 'Opens a door.', input_schema: theirs.inputSchema },
    ]);
    model.call('d1', 'open_door', '{"door":"left"}').stop({ stopReason: 'tool_use' });
    const end = await watcher.ended(generation.id);
    expect(end).toMatchObject({
      type: 'generation.completed',
      generation: { stopReason: 'tool_use' },
      message: { content: [call('d1', 'open_door', { door: 'left' })] },
    });

    await ada.http.sendMessage(conversationId, { content: 'Mind the step', generate: false });
    const answered = ada.http.sendMessage(conversationId, {
      content: [{ type: 'tool_result', tool_use_id: 'd1', content: 'it is open' }],
    });
    const second = await scene.modelFor('it is open');
    expect(second.body).toMatchObject({
      model: 'claude-haiku-4-5',
      max_tokens: 333,
      tools: model.body.tools,
    });
    expect(lastTurns(second, 2)).toEqual([
      { role: 'assistant', content: [call('d1', 'open_door', { door: 'left' })] },
      { role: 'user', content: [result('d1', 'it is open'), text('Mind the step')] },
    ]);
    second.text('Go in.').stop();
    const { generation: next } = await answered;
    expect(await ada.ended(next?.id ?? '')).toMatchObject({ text: 'Go in.', status: 'completed' });
  });

  test('wait for those of ours that were called with them', async () => {
    const { conversationId, model, generation, watcher } = await askWatched({
      tools: ['test__wait', theirs],
    });
    model.call('d1', 'open_door', '{"door":"left"}').call('w1', 'test__wait', '{"question":"?"}');
    model.stop({ stopReason: 'tool_use', outputTokens: 9 });
    (await mcp.nextCall()).answer('ours');
    const end = await watcher.ended(generation.id);
    expect(end.generation).toMatchObject({ stopReason: 'tool_use', usage: { outputTokens: 9 } });
    const calls = [
      call('d1', 'open_door', { door: 'left' }),
      call('w1', 'test__wait', { question: '?' }),
    ] as ContentBlock[];
    expect(end.message?.content).toEqual([...calls, result('w1', 'ours')]);

    await ada.http.sendMessage(conversationId, {
      content: [{ type: 'tool_result', tool_use_id: 'd1', content: 'theirs now' }],
      generate: { maxTokens: 77 },
    });
    const second = await scene.modelFor('theirs now');
    expect(second.body.max_tokens).toBe(77);
    expect(lastTurns(second, 2)).toEqual([
      { role: 'assistant', content: calls },
      { role: 'user', content: [result('d1', 'theirs now'), result('w1', 'ours')] },
    ]);
    second.stop();
  });
});

test('a later question sees what was called and answered before', async () => {
  const { conversationId, model, generation, nextModel } = await askWatched({ tools: ['test__shout'] });
  model.call('s1', 'test__shout', '{"text":"hey"}').stop({ stopReason: 'tool_use' });
  (await nextModel()).text('Loud.').stop();
  await ada.ended(generation.id);
  const next = await scene.ask({ conversationId });
  expect(next.model.body.messages.slice(1)).toEqual([
    { role: 'assistant', content: [call('s1', 'test__shout', { text: 'hey' })] },
    { role: 'user', content: [result('s1', 'HEY')] },
    { role: 'assistant', content: [text('Loud.')] },
    { role: 'user', content: [text(next.prompt.text)] },
  ]);
  expect(next.model.body).toMatchObject({ tools: [{ name: 'test__shout' }], tool_choice: { type: 'none' } });
  next.model.stop();
});

test('a turn that the provider has paused goes on in the same message', async () => {
  const { model, generation, watcher, nextModel } = await askWatched({});
  const search = { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} };
  model.block(search).delta({ type: 'input_json_delta', partial_json: '{"query":"it"}' });
  model.stop({ stopReason: 'pause_turn' });
  const second = await nextModel();
  expect(lastTurns(second, 1)).toEqual([
    { role: 'assistant', content: [{ ...search, input: { query: 'it' } }] },
  ]);
  const found = { type: 'web_search_tool_result', tool_use_id: 's1', content: [] };
  second.block(found).text('Found.').stop();
  const { message, generation: head } = await watcher.ended(generation.id);
  expect(message?.content).toEqual([{ ...search, input: { query: 'it' } }, found, text('Found.')]);
  expect(head.stopReason).toBe('end_turn');
  expect(watcher.of('generation.chunk').filter(({ chunk }) => chunk.type === 'message_stop')).toHaveLength(1);
});

describe('what cannot be accepted', () => {
  test.each<[string, object, object]>([
    ['a tool that nobody knows', { tools: ['juggle'] }, { status: 422, code: 'unsupported_tool' }],
    ['one of an unknown server', { tools: ['other__wait'] }, { status: 422, code: 'unsupported_tool' }],
    [
      'one that its server does not offer',
      { tools: ['test__more'] },
      { status: 422, code: 'unsupported_tool' },
    ],
    ['one that is off', { tools: ['fetch_url'] }, { status: 422, code: 'unsupported_tool' }],
    ['a tool twice', { tools: ['calculator', 'calculator'] }, { status: 400, code: 'invalid_request' }],
    [
      'a schema that is not of an object',
      { tools: [{ name: 'x', description: '', inputSchema: { type: 'string' } }] },
      { status: 400, code: 'invalid_request' },
    ],
    [
      'a budget for thinking as large as the answer',
      { maxTokens: 2000, thinking: { type: 'enabled', budgetTokens: 2000 } },
      { status: 400, code: 'invalid_request' },
    ],
    [
      'a budget for thinking larger than the default',
      { thinking: { type: 'enabled', budgetTokens: 5000 } },
      { status: 400, code: 'invalid_request' },
    ],
  ])('%s', async (_, generate, { status, code }: { status?: number; code?: string }) => {
    const conversationId = await ada.converse();
    const answer = await ada.call('POST', `/v1/conversations/${conversationId}/messages`, {
      content: 'Hi',
      generate,
    });
    expect(answer).toMatchObject({ status, body: { code } });
    expect((await ada.http.listMessages(conversationId)).items).toEqual([]);
  });
});
