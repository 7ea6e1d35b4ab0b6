import { describe, expect, test } from 'vitest';
import type { ContentBlock, ToolResultBlock } from '../../../src/domain/content.js';
import type { GenerationOptions } from '../../../src/domain/generation.js';
import { createLogger } from '../../../src/lib/logger.js';
import { ToolLoop } from '../../../workers/tool-loop.js';
import { ToolError, type Tool } from '../../../workers/tools/tool.js';
import type { ToolRegistry } from '../../../workers/tools/tool-registry.js';

const log = createLogger({ level: 'silent', role: 'worker' });

const tool = (name: string, run: Tool['run'], timeoutMs = 5000): Tool => ({
  name,
  description: `does ${name}`,
  inputSchema: { type: 'object' },
  timeoutMs,
  run,
});
const says = (text: string) => Promise.resolve({ text, isError: false });
const never = () => new Promise<never>(() => undefined);

const tools = [
  tool('one', () => says('1')),
  tool('echo', (input) => says(JSON.stringify(input))),
  tool('broken', () => Promise.reject(new ToolError('It is broken.'))),
  tool('crashing', () => Promise.reject(new Error('secret details'))),
  tool('hanging', never, 20),
  tool('deaf', never),
  tool('long', () => says('x'.repeat(60_000))),
  tool('binary', () => says('a\0b')),
];
const registry = {
  find: (names: readonly string[]) =>
    Promise.all(
      names.map((name) => {
        const found = tools.find((each) => each.name === name);
        return found ? Promise.resolve(found) : Promise.reject(new ToolError(`no ${name}`));
      }),
    ),
} as unknown as ToolRegistry;

const definition = { name: 'theirs', description: 'the client does', inputSchema: { type: 'object' } };

const open = async (...names: NonNullable<GenerationOptions['tools']>) => {
  const loop = new ToolLoop({ tools: names, registry, log });
  await loop.open(new AbortController().signal);
  return loop;
};

const call = (id: string, name: string, changes: object = {}): ContentBlock => ({
  type: 'tool_use',
  id,
  name,
  input: {},
  ...changes,
});
const result = (id: string, content: string, failed = false): ToolResultBlock => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
  ...(failed && { is_error: true }),
});

const run = async (loop: ToolLoop, content: ContentBlock[], signal = new AbortController().signal) => {
  const results: ToolResultBlock[] = [];
  await loop.run(content, signal, (each) => results.push(each));
  return results;
};

describe('the tools of a generation', () => {
  test('are told to the model: those that run here, and the client’s', async () => {
    const loop = await open('one', definition);
    expect(loop.definitions).toEqual([
      { name: 'one', description: 'does one', inputSchema: { type: 'object' } },
      definition,
    ]);
  });

  test('fail the generation where one is not to be had', async () => {
    await expect(open('one', 'nowhere')).rejects.toMatchObject({
      code: 'tool_failed',
      message: 'no nowhere',
    });
  });

  test('answer the calls of the last round that have no result yet', async () => {
    const loop = await open('one', 'echo');
    const content = [
      call('a', 'one'),
      result('a', '1'),
      { type: 'text' as const, text: 'and' },
      call('b', 'echo', { input: { x: 2 } }),
      call('c', 'one'),
      result('c', '1'),
    ];
    expect(await run(loop, content)).toEqual([result('b', '{"x":2}')]);
    expect(await run(loop, [...content, result('b', '{"x":2}')])).toEqual([]);
  });

  test('run at the same time, and each result is there at once', async () => {
    let release = (): void => undefined;
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    tools.push(tool('slow', () => slow.then(() => says('slow'))));
    tools.push(
      tool('fast', () => {
        release();
        return says('fast');
      }),
    );
    const loop = await open('slow', 'fast');
    expect(await run(loop, [call('s', 'slow'), call('f', 'fast')])).toEqual([
      result('f', 'fast'),
      result('s', 'slow'),
    ]);
  });

  test.each([
    ['broken', {}, 'It is broken.'],
    ['crashing', {}, 'The tool failed.'],
    ['hanging', {}, 'It did not answer within 0.02 s.'],
    ['unheard-of', {}, 'There is no tool named unheard-of.'],
    ['echo', { partial_json: '{"x":' }, 'The input is not valid JSON.'],
  ])('tell the model what went wrong: %s', async (name, changes, problem) => {
    const loop = await open('broken', 'crashing', 'hanging', 'echo');
    expect(await run(loop, [call('x', name, changes)])).toEqual([result('x', problem, true)]);
  });

  test('are not listened to any more once the generation is stopped', async () => {
    const loop = await open('deaf');
    const controller = new AbortController();
    const running = expect(run(loop, [call('x', 'deaf')], controller.signal)).rejects.toThrow('stop');
    controller.abort(new Error('stop'));
    await running;
  });

  test('have their answers cut to what a model should read, and made fit for the store', async () => {
    const loop = await open('long', 'binary');
    const [long, binary] = await run(loop, [call('l', 'long'), call('b', 'binary')]);
    expect(long?.content).toHaveLength(50_000 + '\n(cut off)'.length);
    expect(binary?.content).toBe('a\uFFFDb');
  });

  test('of the client end the generation, those of ours do not', async () => {
    const loop = await open('one', definition);
    const [ours, theirs] = [call('o', 'one'), call('t', 'theirs')];
    expect(loop.goesOn([theirs])).toBe(false);
    expect(loop.goesOn([ours])).toBe(true);
    expect(loop.goesOn([ours, theirs])).toBe(true);
    expect(loop.goesOn([call('u', 'unheard-of')])).toBe(true);
    expect(await run(loop, [ours, theirs])).toEqual([result('o', '1')]);
    expect(loop.awaitsClient([ours, theirs, result('o', '1')])).toBe(true);
    expect(loop.awaitsClient([ours, result('o', '1')])).toBe(false);
    expect((await open()).goesOn([ours])).toBe(false);
  });
});
