import { createAnthropicProvider } from './anthropic.js';
import { startDemoServer, type DemoServer, type DemoServerSettings } from './demo-server.js';
import { connectionError } from './provider-errors.js';
import type { Provider } from './provider.js';

/**
 * The `demo*` models, which need no key: a local server with Anthropic's wire format, reached through the real SDK, so
 * that everything behaves as it does with a real model. The server starts with the first call, which a failed start
 * fails alone, and ends with `close`, which no call outlives.
 */
export function createDemoProvider(settings: DemoServerSettings): Provider {
  let started: Promise<{ server: DemoServer; provider: Provider }> | undefined;
  let closed = false;

  const start = async () => {
    const server = await startDemoServer(settings);
    return {
      server,
      provider: createAnthropicProvider({ apiKey: 'demo', baseUrl: server.url, name: 'demo' }),
    };
  };

  const running = async (): Promise<Provider> => {
    if (closed) throw connectionError('demo', new Error('The provider is closed.'));
    started ??= start().catch((error: unknown) => {
      started = undefined;
      throw connectionError('demo', error);
    });
    return (await started).provider;
  };

  return {
    name: 'demo',
    account: 'demo',

    async *stream(request, options) {
      yield* (await running()).stream(request, options);
    },

    async complete(request, options) {
      return (await running()).complete(request, options);
    },

    async close() {
      closed = true;
      const starting = started;
      started = undefined;
      const { server, provider } = (await starting?.catch(() => undefined)) ?? {};
      await provider?.close();
      await server?.close();
    },
  };
}
