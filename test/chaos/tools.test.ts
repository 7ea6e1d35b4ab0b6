import { expect, onTestFinished, test } from 'vitest';
import { mcpConfigFile, startMcpUpstream } from '../support/mcp-upstream.js';
import { about, eventually, setStage } from './stage.js';

const call = (id: string, question: string) => ({
  type: 'tool_use',
  id,
  name: 'test__wait',
  input: { question },
});
const result = (id: string, content: string) => ({ type: 'tool_result', tool_use_id: id, content });

test('a worker killed while tools run loses no result, and only what has none is run again', async () => {
  const mcp = await startMcpUpstream();
  onTestFinished(() => mcp.close());
  const file = await mcpConfigFile({ test: { url: mcp.url, timeoutMs: 60_000 } });
  const { system, upstream, ada } = await setStage({ env: { MCP_CONFIG_FILE: file } });
  const conversation = await ada.converse();
  const socket = ada.socket(conversation);
  await socket.connect();
  const { generation } = await ada.ask(conversation, 'dig', {
    tools: ['test__wait'],
    model: 'claude-sonnet-4-6',
  });
  const first = await upstream.nextRequest(about('dig'));
  first.start({ inputTokens: 10 }).text('Let me see. ').call('a', 'test__wait', '{"question":"one"}');
  first.call('b', 'test__wait', '{"question":"two"}').stop({ stopReason: 'tool_use', outputTokens: 4 });
  const held = [await mcp.nextCall(), await mcp.nextCall()];
  held.find(({ question }) => question === 'one')?.answer('first');
  await socket.waitFor('generation.tool_result', ({ toolUseId }) => toolUseId === 'a');

  // In the middle of the tools.
  await system.add('worker');
  system.worker(0).kill('SIGKILL');
  const again = await mcp.nextCall();
  expect(again.question).toBe('two');
  again.answer('second');
  const second = await upstream.nextRequest(about('dig'));
  const round = [
    {
      role: 'assistant',
      content: [{ type: 'text', text: 'Let me see. ' }, call('a', 'one'), call('b', 'two')],
    },
    { role: 'user', content: [result('a', 'first'), result('b', 'second')] },
  ];
  expect(second.body.messages.slice(1)).toEqual(round);
  expect(mcp.ran).toHaveLength(3);

  // In the middle of the answer that follows from them.
  second.start({ inputTokens: 20 }).text('So it');
  await socket.until(() => socket.written(generation.id) === 'Let me see. So it');
  await system.add('worker');
  system.worker(1).kill('SIGKILL');
  const third = await upstream.nextRequest(about('dig'));
  expect(third.body.messages.slice(1, 3)).toEqual(round);
  expect(third.body.messages.at(3)).toEqual({
    role: 'assistant',
    content: [{ type: 'text', text: 'So it' }],
  });
  third.start({ inputTokens: 30 }).text(' is.').stop({ outputTokens: 2 });

  const { generation: head, message } = await socket.ended(generation.id);
  expect(head).toMatchObject({ status: 'completed', attempt: 3, usage: { inputTokens: 60 } });
  expect(message?.content).toEqual([
    ...(round[0]?.content ?? []),
    ...(round[1]?.content ?? []),
    { type: 'text', text: 'So it is.' },
  ]);
  expect(socket.written(generation.id)).toBe('Let me see. So it is.');
  expect(socket.of('generation.reset')).toEqual([]);
  expect(socket.of('generation.tool_result').map(({ toolUseId }) => toolUseId)).toEqual(['a', 'b']);
  const chunks = socket.of('generation.chunk').map(({ chunk }) => chunk);
  expect(chunks.flatMap((chunk) => (chunk.type === 'content_block_start' ? chunk.index : []))).toEqual([
    0, 1, 2, 3,
  ]);
  expect(chunks.filter(({ type }) => type === 'message_start')).toHaveLength(1);
  expect(mcp.ran).toHaveLength(3);
  await eventually(() => upstream.open === 0);
}, 120_000);

test('a worker that is told to stop hands its tools over', async () => {
  const mcp = await startMcpUpstream();
  onTestFinished(() => mcp.close());
  const file = await mcpConfigFile({ test: { url: mcp.url, timeoutMs: 60_000 } });
  const { system, upstream, ada, row } = await setStage({
    env: { MCP_CONFIG_FILE: file, SHUTDOWN_GRACE_MS: '100' },
  });
  const conversation = await ada.converse();
  const { generation } = await ada.ask(conversation, 'dig', { tools: ['test__wait'] });
  const first = await upstream.nextRequest(about('dig'));
  first.call('a', 'test__wait', '{"question":"one"}').stop({ stopReason: 'tool_use' });
  const held = await mcp.nextCall();
  await system.add('worker');
  system.worker(0).kill('SIGTERM');
  await held.cancelled;
  (await mcp.nextCall()).answer('found');
  const second = await upstream.nextRequest(about('dig'));
  expect(second.body.messages.at(-1)).toEqual({ role: 'user', content: [result('a', 'found')] });
  second.text('Done.').stop();
  expect(await ada.ended(generation.id)).toMatchObject({ status: 'completed', text: 'Done.', attempt: 2 });
  expect(await row(generation.id)).toMatchObject({ lostWorkers: 0 });
}, 120_000);
