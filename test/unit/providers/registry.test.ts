import { expect, test } from 'vitest';
import { createDemoProvider } from '../../../src/providers/demo.js';
import { createProviders } from '../../../src/providers/registry.js';

const demo = { tokensPerSecond: 50 };

test('without a key there is the demo alone', async () => {
  const providers = await createProviders({ demo });
  expect(providers.get('demo')?.name).toBe('demo');
  expect(providers.get('anthropic')).toBeUndefined();
  await providers.close();
});

test.each(['anthropic', 'mistral', 'openai'] as const)(
  'a key enables %s, a base URL alone does not',
  async (name) => {
    const baseUrl = 'http://127.0.0.1:1/v1';
    const enabled = await createProviders({ demo, [name]: { apiKey: 'sk-test', baseUrl } });
    expect(enabled.get(name)?.name).toBe(name);
    const disabled = await createProviders({ demo, [name]: { baseUrl } });
    expect(disabled.get(name)).toBeUndefined();
    await Promise.all([enabled.close(), disabled.close()]);
  },
);

test('closing ends the calls that still run, and refuses others', async () => {
  const provider = createDemoProvider({ tokensPerSecond: 1 });
  const { signal } = new AbortController();
  const request = {
    model: 'demo',
    system: null,
    messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Hello?' }] }],
    maxTokens: 100,
  };
  const chunks = provider.stream(request, { signal })[Symbol.asyncIterator]();
  await chunks.next();
  await provider.close();
  const rest = (async () => {
    while (!(await chunks.next()).done);
  })();
  await expect(rest).rejects.toMatchObject({ code: 'provider_error', provider: 'demo' });
  await expect(provider.complete(request, { signal })).rejects.toMatchObject({ provider: 'demo' });
});
