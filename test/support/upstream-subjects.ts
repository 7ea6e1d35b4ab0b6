import { createAnthropicProvider } from '../../src/providers/anthropic.js';
import { createMistralProvider } from '../../src/providers/mistral.js';
import { createOpenaiProvider } from '../../src/providers/openai.js';
import type { Provider } from '../../src/providers/provider.js';
import { startMistralUpstream } from './mistral-upstream.js';
import { startOpenaiUpstream } from './openai-upstream.js';
import { startUpstream } from './upstream.js';

/** An answer in the hands of the test, whichever wire format it is written in. */
export interface Script {
  readonly closed: Promise<number>;
  readonly clientPort: number | undefined;
  hang(headers?: Record<string, string>): Script;
  text(text: string): Script;
  thinking(thinking: string): Script;
  call(id: string, name: string, ...json: string[]): Script;
  raw(bytes: string | Uint8Array): Script;
  stop(options?: { stopReason?: string; outputTokens?: number }): Script;
  end(): Script;
  cut(): Script;
  fail(status: number, body?: unknown, headers?: Record<string, string>): Script;
}

/** A server that speaks the wire format of a provider. */
export interface ScriptedUpstream {
  readonly url: string;
  readonly open: number;
  readonly requests: readonly unknown[];
  nextRequest(): Promise<Script>;
  close(): Promise<void>;
}

/** A provider, and a server that it can ask. */
export interface Subject {
  model: string;
  startUpstream: () => Promise<ScriptedUpstream>;
  /** The provider that asks this server. */
  create: (url: string, apiKey: string) => Provider;
  /** A text delta as the wire has it, to be cut anywhere. */
  frameOf: (text: string) => string;
}

const chatFrame = (text: string) => {
  const choices = [{ index: 0, delta: { content: text }, finish_reason: null }];
  return `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices })}\n\n`;
};

/** The providers that reach a service over the network. */
export const subjects: Record<string, Subject> = {
  anthropic: {
    model: 'claude-test',
    startUpstream,
    create: (baseUrl, apiKey) => createAnthropicProvider({ apiKey, baseUrl }),
    frameOf: (text) => {
      const delta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } };
      return `event: content_block_delta\ndata: ${JSON.stringify(delta)}\n\n`;
    },
  },
  mistral: {
    model: 'mistral-test',
    startUpstream: startMistralUpstream,
    create: (baseUrl, apiKey) => createMistralProvider({ apiKey, baseUrl }),
    frameOf: chatFrame,
  },
  openai: {
    model: 'gpt-test',
    startUpstream: startOpenaiUpstream,
    create: (url, apiKey) => createOpenaiProvider({ apiKey, baseUrl: `${url}/v1` }),
    frameOf: chatFrame,
  },
};
