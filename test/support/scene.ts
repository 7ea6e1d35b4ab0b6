import { randomUUID } from 'node:crypto';
import type { Generation, Message, NewMessage } from '../../src/client/index.js';
import { Person } from './person.js';
import { startSystem, type System, type SystemOptions } from './system.js';
import { startUpstream, type Upstream, type UpstreamRequest } from './upstream.js';

/** A running system, a model under the test's control, and somebody who asks it. */
export interface Scene {
  readonly upstream: Upstream;
  readonly system: System;
  readonly ada: Person;
  /** Asks (Ada in a new conversation, unless said otherwise) and waits until the model has been asked. */
  ask(how?: AskOptions): Promise<Asked>;
  /** The next request that the model gets for a prompt. */
  modelFor(prompt: string): Promise<UpstreamRequest>;
  close(): Promise<void>;
}

interface AskOptions {
  person?: Person;
  conversationId?: string;
  options?: NewMessage['generate'];
}

export interface Asked {
  conversationId: string;
  prompt: Message;
  generation: Generation;
  model: UpstreamRequest;
}

export async function openScene(options: Omit<SystemOptions, 'upstream'> = {}): Promise<Scene> {
  const upstream = await startUpstream();
  const system = await startSystem({ ...options, upstream }).catch(async (error: unknown) => {
    await upstream.close();
    throw error;
  });
  const ada = await Person.signIn(system.api(), 'Ada');
  const modelFor = (prompt: string) =>
    upstream.nextRequest(({ body }) => JSON.stringify(body.messages).includes(prompt));
  return {
    upstream,
    system,
    ada,
    modelFor,
    ask: async ({ person = ada, conversationId, options } = {}) => {
      const id = conversationId ?? (await person.converse());
      const text = `a prompt, ${randomUUID()}`;
      const { message, generation } = await person.ask(id, text, options);
      return { conversationId: id, prompt: message, generation, model: await modelFor(text) };
    },
    close: async () => {
      ada.leave();
      await system.stop();
      await upstream.close();
    },
  };
}
