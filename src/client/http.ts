import type { ConversationView, MemberRole, Message, User } from '../domain/conversation.js';
import type { Document, DocumentHead, SectionWithSource } from '../domain/document.js';
import type { Generation } from '../domain/generation.js';
import type { Model } from '../domain/models.js';
import type { BudgetView } from '../wire/budget.js';
import type { Page } from '../wire/http.js';
import type { UsageReport } from '../wire/usage.js';
import type {
  AcceptedMessage,
  ConversationChanges,
  EditedMessage,
  Invite,
  Member,
  NewConversation,
  NewDocument,
  NewMessage,
  PageQuery,
  RequestOptions,
  Session,
  UsageQuery,
} from './http-types.js';
import { canTellProgress, fetchWithProgress } from './fetch-with-progress.js';
import { HttpTransport, type TokencastHttpOptions } from './http-transport.js';

/**
 * The HTTP API, one method for a route. All methods throw a {@link TokencastError}, or the reason of the caller's
 * signal once that has fired; none tries again by itself.
 */
export class TokencastHttp {
  readonly #transport: HttpTransport;

  constructor(options: TokencastHttpOptions = {}) {
    this.#transport = new HttpTransport(options);
  }

  createSession(name: string, options?: RequestOptions): Promise<Session> {
    return this.#send('POST', '/v1/sessions', { name }, options);
  }

  refreshSession(options?: RequestOptions): Promise<Session> {
    return this.#send('POST', '/v1/sessions/refresh', {}, options);
  }

  /** The caller, and their budget of today (UTC). */
  getMe(options?: RequestOptions): Promise<{ user: User; budget: BudgetView }> {
    return this.#send('GET', '/v1/me', undefined, options);
  }

  /** The last changed first. `q`: only those with this in their title or text. */
  listConversations(
    query?: PageQuery & { q?: string },
    options?: RequestOptions,
  ): Promise<Page<ConversationView>> {
    return this.#send('GET', `/v1/conversations${search(query)}`, undefined, options);
  }

  createConversation(body: NewConversation, options?: RequestOptions): Promise<ConversationView> {
    return this.#send('POST', '/v1/conversations', body, options);
  }

  getConversation(id: string, options?: RequestOptions): Promise<ConversationView> {
    return this.#send('GET', conversation(id), undefined, options);
  }

  updateConversation(
    id: string,
    changes: ConversationChanges,
    options?: RequestOptions,
  ): Promise<ConversationView> {
    return this.#send('PATCH', conversation(id), changes, options);
  }

  /** Deletes it with all that belongs to it, for everyone. */
  deleteConversation(id: string, options?: RequestOptions): Promise<void> {
    return this.#send('DELETE', conversation(id), undefined, options);
  }

  /** Deletes all messages; what runs is stopped. */
  clearMessages(conversationId: string, options?: RequestOptions): Promise<void> {
    return this.#send('DELETE', `${conversation(conversationId)}/messages`, undefined, options);
  }

  /** The caller has read up to and with `position`. */
  markRead(conversationId: string, position: number, options?: RequestOptions): Promise<void> {
    return this.#send('POST', `${conversation(conversationId)}/read`, { position }, options);
  }

  listMembers(conversationId: string, options?: RequestOptions): Promise<Page<Member>> {
    return this.#send('GET', `${conversation(conversationId)}/members`, undefined, options);
  }

  /** Removes somebody (the owner may), or leaves oneself. */
  removeMember(conversationId: string, userId: string, options?: RequestOptions): Promise<void> {
    const path = `${conversation(conversationId)}/members/${encodeURIComponent(userId)}`;
    return this.#send('DELETE', path, undefined, options);
  }

  createInvite(
    conversationId: string,
    role: Exclude<MemberRole, 'owner'> = 'member',
    options?: RequestOptions,
  ): Promise<Invite> {
    return this.#send('POST', `${conversation(conversationId)}/invites`, { role }, options);
  }

  /** @throws TokencastError `not_found`: unknown, or expired. */
  acceptInvite(token: string, options?: RequestOptions): Promise<ConversationView> {
    return this.#send('POST', `/v1/invites/${encodeURIComponent(token)}/accept`, {}, options);
  }

  /** Cancels all that runs or waits in the conversation. */
  cancelConversation(id: string, options?: RequestOptions): Promise<{ generations: Generation[] }> {
    return this.#send('POST', `${conversation(id)}/cancel`, {}, options);
  }

  /** The newest page first; in it the newest message last. */
  listMessages(conversationId: string, query?: PageQuery, options?: RequestOptions): Promise<Page<Message>> {
    const path = `${conversation(conversationId)}/messages${search(query)}`;
    return this.#send('GET', path, undefined, options);
  }

  sendMessage(conversationId: string, body: NewMessage, options?: RequestOptions): Promise<AcceptedMessage> {
    return this.#send('POST', `${conversation(conversationId)}/messages`, body, options);
  }

  /** `regenerate`: what follows it is dropped, and it is answered anew. */
  editMessage(
    id: string,
    body: { content: string; regenerate?: boolean },
    options?: RequestOptions,
  ): Promise<EditedMessage> {
    return this.#send('PATCH', `/v1/messages/${encodeURIComponent(id)}`, body, options);
  }

  deleteMessage(id: string, options?: RequestOptions): Promise<void> {
    return this.#send('DELETE', `/v1/messages/${encodeURIComponent(id)}`, undefined, options);
  }

  /** Of a user's message or an answer; the old answer stays until the new one ends with text. */
  regenerate(messageId: string, options?: RequestOptions): Promise<{ generation: Generation }> {
    return this.#send('POST', `/v1/messages/${encodeURIComponent(messageId)}/regenerate`, {}, options);
  }

  /** Goes on from a partial text. @throws TokencastError `nothing_to_continue` */
  continueGeneration(id: string, options?: RequestOptions): Promise<{ generation: Generation }> {
    return this.#send('POST', `/v1/generations/${encodeURIComponent(id)}/continue`, {}, options);
  }

  getGeneration(id: string, options?: RequestOptions): Promise<Generation> {
    return this.#send('GET', `/v1/generations/${encodeURIComponent(id)}`, undefined, options);
  }

  /** Deletes what the cache has of an answer that the caller asked for with `cache: true`. */
  forgetCachedAnswer(id: string, options?: RequestOptions): Promise<void> {
    return this.#send('DELETE', `/v1/generations/${encodeURIComponent(id)}/cache`, undefined, options);
  }

  /** @throws TokencastError `generation_ended` when there is nothing left to cancel. */
  cancelGeneration(id: string, options?: RequestOptions): Promise<Generation> {
    return this.#send('POST', `/v1/generations/${encodeURIComponent(id)}/cancel`, {}, options);
  }

  /**
   * Uploads a document and has it analysed. With `onProgress` in a browser the upload tells how far it is; `timeoutMs`,
   * by default ten minutes, counts from its beginning to the answer.
   *
   * @throws TokencastError `payload_too_large`, `unsupported_media_type`, `unreadable_document`
   */
  uploadDocument(
    file: Blob,
    { name = file instanceof File ? file.name : 'document', options, onProgress }: NewDocument = {},
    requestOptions: RequestOptions = {},
  ): Promise<Document> {
    const body = new FormData();
    if (options) body.set('options', JSON.stringify(options));
    body.set('file', file, name);
    const send = onProgress && canTellProgress ? fetchWithProgress(onProgress) : undefined;
    const timed = { timeoutMs: 600_000, ...requestOptions };
    return this.#transport.request('POST', '/v1/documents', body, asJson<Document>, timed, send);
  }

  /** One's own, the newest first. */
  listDocuments(query?: PageQuery, options?: RequestOptions): Promise<Page<DocumentHead>> {
    return this.#send('GET', `/v1/documents${search(query)}`, undefined, options);
  }

  getDocument(id: string, options?: RequestOptions): Promise<Document> {
    return this.#send('GET', document(id), undefined, options);
  }

  /** A section with the text that is analysed. */
  getSection(documentId: string, index: number, options?: RequestOptions): Promise<SectionWithSource> {
    return this.#send('GET', `${document(documentId)}/sections/${index}`, undefined, options);
  }

  /** What there is of the result, as Markdown. */
  getReport(documentId: string, options?: RequestOptions): Promise<string> {
    const asText = (response: Response) => response.text();
    return this.#transport.request('GET', `${document(documentId)}/report.md`, undefined, asText, options);
  }

  /** The file as it was uploaded. */
  getFile(documentId: string, options?: RequestOptions): Promise<Blob> {
    const asBlob = (response: Response) => response.blob();
    return this.#transport.request('GET', `${document(documentId)}/file`, undefined, asBlob, options);
  }

  deleteDocument(id: string, options?: RequestOptions): Promise<void> {
    return this.#send('DELETE', document(id), undefined, options);
  }

  /** Stops it; what is done and half written stays. @throws TokencastError `document_ended` */
  cancelDocument(id: string, options?: RequestOptions): Promise<Document> {
    return this.#send('POST', `${document(id)}/cancel`, {}, options);
  }

  /** Runs what is missing. @throws TokencastError `document_running`, `document_ended` */
  resumeDocument(id: string, options?: RequestOptions): Promise<Document> {
    return this.#send('POST', `${document(id)}/resume`, {}, options);
  }

  /** Runs one section again that failed or was stopped. @throws TokencastError `document_running`, `document_ended` */
  retrySection(documentId: string, index: number, options?: RequestOptions): Promise<Document> {
    return this.#send('POST', `${document(documentId)}/sections/${index}/retry`, {}, options);
  }

  listModels(options?: RequestOptions): Promise<{ items: Model[] }> {
    return this.#send('GET', '/v1/models', undefined, options);
  }

  /** What may be spent in a conversation. */
  getConversationBudget(id: string, options?: RequestOptions): Promise<BudgetView> {
    return this.#send('GET', `${conversation(id)}/budget`, undefined, options);
  }

  /** What the caller's own generations have used. */
  getUsage(query?: UsageQuery, options?: RequestOptions): Promise<UsageReport> {
    return this.#send('GET', `/v1/usage${search(query)}`, undefined, options);
  }

  #send<T>(method: string, path: string, body: unknown, options?: RequestOptions): Promise<T> {
    return this.#transport.request(method, path, body, asJson<T>, options);
  }
}

const asJson = async <T>(response: Response): Promise<T> =>
  (response.status === 204 ? undefined : await response.json()) as T;

const conversation = (id: string): string => `/v1/conversations/${encodeURIComponent(id)}`;
const document = (id: string): string => `/v1/documents/${encodeURIComponent(id)}`;

function search(query: object = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length ? `?${new URLSearchParams(given).toString()}` : '';
}
