import type { ProviderName } from '../domain/models.js';
import { createAnthropicProvider } from './anthropic.js';
import { createDemoProvider } from './demo.js';
import type { Provider } from './provider.js';

interface KeyedSettings {
  /** Without it the provider is not there: a base URL alone enables nothing. */
  apiKey?: string;
  baseUrl?: string;
}

export interface ProviderSettings {
  anthropic?: KeyedSettings;
  mistral?: KeyedSettings;
  openai?: KeyedSettings;
  demo: { tokensPerSecond: number };
}

/** The providers that the settings enable. */
export interface ProviderRegistry {
  get(name: ProviderName): Provider | undefined;
  /** Frees what they hold; calls that still run fail. */
  close(): Promise<void>;
}

/**
 * A new provider is one file and one line here. SDKs are loaded where they are used: Mistral's alone takes a second of a
 * worker's start and a third of its memory.
 */
export async function createProviders(settings: ProviderSettings): Promise<ProviderRegistry> {
  const keyed = await Promise.all([
    withKey(settings.anthropic, () => createAnthropicProvider),
    withKey(settings.mistral, async () => (await import('./mistral.js')).createMistralProvider),
    withKey(settings.openai, async () => (await import('./openai.js')).createOpenaiProvider),
  ]);
  const providers = [...keyed, createDemoProvider(settings.demo)].filter(
    (provider) => provider !== undefined,
  );
  const byName = new Map(providers.map((provider) => [provider.name, provider]));

  return {
    get: (name) => byName.get(name),
    async close() {
      await Promise.all(providers.map((provider) => provider.close()));
    },
  };
}

type CreateProvider = (settings: { apiKey: string; baseUrl?: string }) => Provider;

async function withKey(
  { apiKey, baseUrl }: KeyedSettings = {},
  load: () => CreateProvider | Promise<CreateProvider>,
): Promise<Provider | undefined> {
  if (!apiKey) return undefined;
  const create = await load();
  return create({ apiKey, baseUrl });
}
