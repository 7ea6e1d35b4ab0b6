import { expect, test } from 'vitest';
import { modelInfo, models, providerOf } from '../../../src/domain/models.js';

test('every model on offer is served by the provider that its name stands for', () => {
  for (const { id, provider } of models) expect(providerOf(id)).toBe(provider);
});

test.each([
  ['gpt-4.1-mini-2025-04-14', 'gpt-4.1-mini'],
  ['openai:gpt-4.1', 'gpt-4.1'],
  ['mistral-large-2512', 'mistral-large-latest'],
  ['claude-sonnet-4-5-20250929', 'claude-sonnet-4-5'],
])('%s costs what %s does', (id, named) => {
  expect(modelInfo(id)).toEqual({ ...modelInfo(named), id });
  expect(modelInfo(id).pricing).not.toBeNull();
});

test.each(['openai:llama3.2', 'openai:claude-sonnet-4-5', 'gpt-oss:20b', 'mistral-unheard-of'])(
  'nothing is claimed of %s',
  (id) => {
    expect(modelInfo(id)).toMatchObject({ id, provider: providerOf(id), pricing: null });
  },
);
