import { Chat } from '@ai-sdk/react';
import { DefaultChatTransport, type ChatInit, type UIMessage } from 'ai';
import type { GenerationOptions } from '../../src/client/index.js';
import type { Person } from './person.js';

interface UiChatOptions extends Omit<ChatInit<UIMessage>, 'id' | 'transport'> {
  id: string;
  generate?: GenerationOptions;
}

/** The AI SDK's own chat, as `useChat` has it, of somebody at an api. */
export class UiChat extends Chat<UIMessage> {
  constructor(
    private readonly at: { url: string },
    private readonly person: Pick<Person, 'token'>,
    { generate, ...init }: UiChatOptions,
  ) {
    const headers = { authorization: `Bearer ${person.token}` };
    const transport = new DefaultChatTransport({
      api: `${at.url}/ai-sdk/chat`,
      headers,
      ...(generate && { body: { generate } }),
    });
    super({ ...init, transport });
  }

  /** The chat of a page that was loaded again, with what it has kept. */
  reloaded(messages: UIMessage[] = [], at = this.at): UiChat {
    return new UiChat(at, this.person, { id: this.id, messages });
  }

  /** Looks again after every change, until there is an answer. */
  until<T>(look: () => T | undefined | false): Promise<T> {
    return new Promise((resolve, reject) => {
      const stops: (() => void)[] = [];
      const again = () => {
        try {
          const found = look();
          if (found === undefined || found === false) return;
          resolve(found);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        for (const stop of stops) stop();
      };
      stops.push(this['~registerMessagesCallback'](again), this['~registerStatusCallback'](again));
      again();
    });
  }

  /** The text of the newest message, once it is an answer with this in it. */
  says(text: string): Promise<string> {
    return this.until(() => {
      const said = this.lastMessage?.role === 'assistant' ? textIn(this.lastMessage) : '';
      return said.includes(text) && said;
    });
  }

  /** The stop route, as a page calls it. */
  stopForAll(): Promise<Response> {
    return this.#fetch('/stop', 'POST');
  }

  /** What a page that is loaded begins with. */
  async history(): Promise<UIMessage[]> {
    const { messages } = (await (await this.#fetch('')).json()) as { messages: UIMessage[] };
    return messages;
  }

  #fetch(path: string, method = 'GET'): Promise<Response> {
    return fetch(`${this.at.url}/ai-sdk/chat/${encodeURIComponent(this.id)}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.person.token}` },
    });
  }
}

export const textIn = ({ parts }: UIMessage): string =>
  parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
