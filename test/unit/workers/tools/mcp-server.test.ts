import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { createLogger } from '../../../../src/lib/logger.js';
import { McpServer, type McpServerSettings } from '../../../../workers/tools/mcp-server.js';
import { ToolError } from '../../../../workers/tools/tool.js';
import { startMcpUpstream } from '../../../support/mcp-upstream.js';

const log = createLogger({ level: 'silent', role: 'worker' });
const { signal } = new AbortController();

const upstream = await startMcpUpstream();
const opened: McpServer[] = [];
afterAll(async () => {
  await Promise.all(opened.map((server) => server.close()));
  await upstream.close();
});

const start = (settings: McpServerSettings) => {
  const server = new McpServer(settings, log);
  opened.push(server);
  return server;
};

const open = (changes: { url?: string; tools?: string[] } = {}) => {
  const headers = { authorization: 'Bearer secret' };
  return start({ name: 'test', url: upstream.url, headers, timeoutMs: 5000, ...changes });
};

const toolOf = async (server: McpServer, name: string) => {
  const tool = await server.find(name);
  if (!tool) throw new Error(`there is no ${name}`);
  return tool;
};

describe('an MCP server over HTTP', () => {
  test('offers its tools under its name, with their schemas, and is asked with its headers', async () => {
    const tool = await toolOf(open(), 'wait');
    expect(tool).toMatchObject({
      name: 'test__wait',
      description: 'Answers later.',
      inputSchema: { type: 'object', properties: { question: { type: 'string' } }, required: ['question'] },
      timeoutMs: 5000,
    });
    expect(upstream.authorization).toBe('Bearer secret');
  });

  test('answers calls, with what went wrong as an error', async () => {
    const server = open();
    const shout = await toolOf(server, 'shout');
    expect(await shout.run({ text: 'hey' }, signal)).toEqual({ text: 'HEY', isError: false });
    expect(await (await toolOf(server, 'fail')).run({}, signal)).toEqual({ text: 'no luck', isError: true });
    expect(await shout.run({ text: 5 }, signal)).toMatchObject({ isError: true });
    await expect(shout.run('hey', signal)).rejects.toThrow('has to be an object');
  });

  test('has no tool that nobody knows, or that is not to be offered', async () => {
    expect(await open().find('other')).toBeUndefined();
    const server = open({ tools: ['shout'] });
    expect(await server.find('wait')).toBeUndefined();
    expect(await server.find('shout')).toBeDefined();
  });

  test('hears that a call was cancelled', async () => {
    const wait = await toolOf(open(), 'wait');
    const controller = new AbortController();
    const running = wait.run({ question: 'why?' }, controller.signal);
    const failed = expect(running).rejects.toThrow('enough');
    const call = await upstream.nextCall();
    controller.abort(new Error('enough'));
    await failed;
    await call.cancelled;
  });

  test('is connected to again after it was started again', async () => {
    const shout = await toolOf(open(), 'shout');
    upstream.forgetSessions();
    await expect(shout.run({ text: 'hey' }, signal)).rejects.toThrow(ToolError);
    expect(await shout.run({ text: 'hey' }, signal)).toEqual({ text: 'HEY', isError: false });
  });

  test('that is not there fails, and is asked anew the next time', async () => {
    const server = open({ url: 'http://127.0.0.1:1/mcp' });
    await expect(server.find('shout')).rejects.toThrow('The MCP server test cannot be reached.');
    await expect(server.find('shout')).rejects.toThrow(ToolError);
  });
});

test('an MCP server that is a program is started, asked, and ended', async () => {
  const program = fileURLToPath(new URL('../../../support/mcp-program.ts', import.meta.url));
  const server = start({
    name: 'program',
    command: process.execPath,
    args: ['--import', 'tsx', program],
    env: { GREETING: 'Hello' },
    timeoutMs: 5000,
  });
  process.env.A_SECRET_OF_OURS = 'x';
  const greet = await toolOf(server, 'greet');
  expect(await greet.run({ name: 'Ada' }, signal)).toEqual({
    text: 'Hello, Ada! (no secret)',
    isError: false,
  });
  const { text: pid } = await (await toolOf(server, 'pid')).run({}, signal);
  await server.close();
  await expect.poll(() => isRunning(Number(pid))).toBe(false);
  await expect(server.find('greet')).rejects.toThrow('not there any more');
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
