import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Person } from '../support/person.js';
import { startSystem, type System } from '../support/system.js';
import { subjects, type Script, type ScriptedUpstream } from '../support/upstream-subjects.js';

/** Tools and structured output through the whole system, with a model behind each wire format. */

const variables: Record<string, (url: string) => Record<string, string>> = {
  anthropic: (url) => ({ ANTHROPIC_API_KEY: 'test', ANTHROPIC_BASE_URL: url }),
  mistral: (url) => ({ MISTRAL_API_KEY: 'test', MISTRAL_BASE_URL: url }),
  openai: (url) => ({ OPENAI_API_KEY: 'test', OPENAI_BASE_URL: `${url}/v1` }),
};

interface Body {
  messages: { role: string; [key: string]: unknown }[];
  [key: string]: unknown;
}

const upstreams: Record<string, ScriptedUpstream> = {};
let system: System;
let ada: Person;

beforeAll(async () => {
  let env: Record<string, string> = {};
  for (const [name, { startUpstream }] of Object.entries(subjects)) {
    const upstream = await startUpstream();
    upstreams[name] = upstream;
    env = { ...env, ...variables[name]?.(upstream.url) };
  }
  system = await startSystem({ env });
  ada = await Person.signIn(system.api(), 'Ada');
});

afterAll(async () => {
  ada.leave();
  await system.stop();
  await Promise.all(Object.values(upstreams).map((upstream) => upstream.close()));
});

/** How each format says in its own way what is the same for all. */
const forms: Record<
  string,
  {
    turns: unknown[];
    tool: object;
    schema: object;
  }
> = {
  anthropic: {
    turns: [
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'Let me see.' },
          { type: 'tool_use', id: 'AbCdEf123', name: 'calculator', input: { expression: '6*7' } },
          { type: 'tool_use', id: 'AbCdEf124', name: 'calculator', input: { expression: 'six' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'AbCdEf123', content: '42' },
          {
            type: 'tool_result',
            tool_use_id: 'AbCdEf124',
            content: '"six" is not allowed here',
            is_error: true,
          },
        ],
      },
    ],
    tool: { tools: [{ name: 'calculator', input_schema: { type: 'object' } }] },
    schema: { output_config: { format: { type: 'json_schema' } } },
  },
  ...Object.fromEntries(
    ['mistral', 'openai'].map((name) => [
      name,
      {
        turns: [
          {
            role: 'assistant',
            content: 'Let me see.',
            tool_calls: [
              { id: 'AbCdEf123', function: { name: 'calculator', arguments: '{"expression":"6*7"}' } },
              { id: 'AbCdEf124', function: { name: 'calculator', arguments: '{"expression":"six"}' } },
            ],
          },
          { role: 'tool', tool_call_id: 'AbCdEf123', content: '42' },
          { role: 'tool', tool_call_id: 'AbCdEf124', content: 'Error: "six" is not allowed here' },
        ],
        tool: {
          tools: [{ type: 'function', function: { name: 'calculator', parameters: { type: 'object' } } }],
        },
        schema: { response_format: { type: 'json_schema', json_schema: { schema: { type: 'object' } } } },
      },
    ]),
  ),
};

describe.each(Object.entries(subjects))('through the %s provider', (name, { model }) => {
  const next = async (): Promise<{ answer: Script; body: Body }> => {
    const answer = await upstreams[name]?.nextRequest();
    if (!answer) throw new Error(`there is no upstream for ${name}`);
    return { answer, body: (answer as unknown as { body: Body }).body };
  };
  const form = forms[name] ?? { turns: [], tool: {}, schema: {} };

  test('tools are called, answer in the form of the API, and the answer follows from them', async () => {
    const { generation } = await ada.ask(await ada.converse(), 'Six times seven?', {
      model,
      tools: ['calculator'],
    });
    const first = await next();
    expect(first.body).toMatchObject(form.tool);
    first.answer.text('Let me see.');
    first.answer.call('AbCdEf123', 'calculator', '{"expression":', '"6*7"}');
    first.answer.call('AbCdEf124', 'calculator', '{"expression":"six"}');
    first.answer.stop({ stopReason: 'tool_use' });
    const second = await next();
    expect(second.body.messages.slice(1)).toMatchObject(form.turns);
    second.answer.text('It is 42.').stop();
    const ended = await ada.ended(generation.id);
    expect(ended).toMatchObject({
      status: 'completed',
      text: 'Let me see.It is 42.',
      stopReason: 'end_turn',
    });
    expect(ended.content.map(({ type }) => type).join(' ')).toBe(
      'text tool_use tool_use tool_result tool_result text',
    );
    expect(ended.usage?.outputTokens).toBeGreaterThan(0);
  });

  test('an answer has its schema, and a second try where it does not match', async () => {
    const outputSchema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
    const { generation } = await ada.ask(await ada.converse(), 'A number?', { model, outputSchema });
    const first = await next();
    expect(first.body).toMatchObject(form.schema);
    first.answer.text('{"n": "four"}').stop();
    const second = await next();
    expect(JSON.stringify(second.body.messages.at(-1))).toContain('/n must be integer');
    second.answer.text('{"n": 4}').stop();
    expect(await ada.ended(generation.id)).toMatchObject({ status: 'completed', text: '{"n": 4}' });
  });
});
