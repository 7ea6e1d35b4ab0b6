import {
  conversationRoom,
  documentRoom,
  TokencastHttp,
  type Document,
  type Generation,
  type GenerationOptions,
  type Message,
  type NewConversation,
  type NewMessage,
  type User,
} from '../../src/client/index.js';
import { userRoom } from '../../src/wire/room.js';
import { fixtureFile } from './fixtures.js';
import { SocketClient, SseClient, type RoomClient } from './clients.js';

export interface Answer<T = unknown> {
  status: number;
  headers: Headers;
  body: T;
}

interface CallOptions {
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Somebody with a session, who reaches the product through one of its apis. */
export class Person {
  /** The typed client, for what it covers. */
  readonly http: TokencastHttp;
  readonly #clients: RoomClient[] = [];

  private constructor(
    private readonly url: string,
    readonly user: User,
    readonly token: string,
  ) {
    this.http = new TokencastHttp({ baseUrl: url, getToken: () => token });
  }

  static async signIn({ url }: { url: string }, name: string): Promise<Person> {
    const { user, token } = await new TokencastHttp({ baseUrl: url }).createSession(name);
    return new Person(url, user, token);
  }

  /** The same person through another api. */
  via({ url }: { url: string }): Person {
    return new Person(url, this.user, this.token);
  }

  async call<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    { headers, signal }: CallOptions = {},
  ): Promise<Answer<T>> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as T,
    };
  }

  /** A new conversation's id. */
  async converse(body: NewConversation = {}): Promise<string> {
    return (await this.http.createConversation(body)).id;
  }

  /** Asks, and answers what was accepted. */
  async ask(
    conversationId: string,
    content: string,
    generate?: NewMessage['generate'],
  ): Promise<{ message: Message; generation: Generation }> {
    const { message, generation } = await this.http.sendMessage(conversationId, { content, generate });
    if (!generation) throw new Error('a remark has no generation');
    return { message, generation };
  }

  /** The generation, once it has ended. */
  async ended(generationId: string): Promise<Generation> {
    const stream = this.generationStream(generationId);
    await stream.connect();
    await stream.ended(generationId);
    stream.drop();
    return this.http.getGeneration(generationId);
  }

  /** A socket on a conversation, not yet connected. */
  socket(conversationId: string, transports?: ('websocket' | 'polling')[]): SocketClient {
    const { url, token } = this;
    return this.#keep(new SocketClient({ url, token, room: conversationRoom(conversationId) }, transports));
  }

  /** An event stream on a conversation, not yet connected. */
  eventStream(conversationId: string): SseClient {
    const { url, token } = this;
    return this.#keep(new SseClient({ url, token, room: conversationRoom(conversationId) }));
  }

  /** Uploads a file of test/fixtures. */
  async upload(name: string, options?: GenerationOptions): Promise<Document> {
    return this.http.uploadDocument(await fixtureFile(name), { ...(options && { options }) });
  }

  /** A socket on a document, not yet connected. */
  documentSocket(documentId: string): SocketClient {
    const { url, token } = this;
    return this.#keep(new SocketClient({ url, token, room: documentRoom(documentId) }));
  }

  /** An event stream on a document, not yet connected. */
  documentStream(documentId: string): SseClient {
    const { url, token } = this;
    const room = documentRoom(documentId);
    return this.#keep(new SseClient({ url, token, room }, `/v1/documents/${documentId}/events`));
  }

  /** A socket on what concerns one's own lists, not yet connected. */
  lists(): SocketClient {
    const { url, token } = this;
    return this.#keep(new SocketClient({ url, token, room: userRoom(this.user.id) }));
  }

  /** The event stream of one generation, not yet connected. */
  generationStream(generationId: string): SseClient {
    const { url, token } = this;
    return this.#keep(new SseClient({ url, token, room: '' }, `/v1/generations/${generationId}/events`));
  }

  /** Ends all that this person watches. */
  leave(): void {
    for (const client of this.#clients) client.drop();
  }

  #keep<T extends RoomClient>(client: T): T {
    this.#clients.push(client);
    return client;
  }
}
