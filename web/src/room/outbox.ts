import { v4 as uuid } from 'uuid';
import { TokencastError, type ClientErrorCode, type Message } from '../../../src/client/index.js';
import { Store } from '../lib/store.js';

/** A message of this window that the room has not shown yet. */
export interface PendingMessage {
  /** Names the message for the room, and the request for the server: sending again cannot double it. */
  clientId: string;
  content: string;
  /** For the people here: the assistant does not answer it. */
  remark: boolean;
  createdAt: string;
  /** `accepted`: the server has it, the room's event is still on its way. */
  state: 'sending' | 'accepted' | 'failed';
  /** What went wrong; null unless failed. */
  problem: { words: string; code: ClientErrorCode | null } | null;
}

export type Send = (message: PendingMessage) => Promise<unknown>;

/** What this window sent to one room and the room has not shown yet. Failed messages stay until sent again or discarded. */
export class Outbox extends Store<readonly PendingMessage[]> {
  readonly #send: Send;

  constructor(send: Send) {
    super([]);
    this.#send = send;
  }

  add(content: string, { remark = false } = {}): Promise<void> {
    const pending: PendingMessage = {
      clientId: uuid(),
      content,
      remark,
      createdAt: new Date().toISOString(),
      state: 'sending',
      problem: null,
    };
    this.set([...this.get(), pending]);
    return this.#deliver(pending);
  }

  /** Sends a failed message again, under the same key. */
  async retry(clientId: string): Promise<void> {
    const pending = this.get().find((one) => one.clientId === clientId);
    if (pending?.state !== 'failed') return;
    this.#change(clientId, { state: 'sending', problem: null });
    await this.#deliver(pending);
  }

  discard(clientId: string): void {
    this.set(this.get().filter((one) => one.clientId !== clientId));
  }

  /** Lets go of what the room shows by now. */
  settle(messages: readonly Message[]): void {
    const shown = new Set(messages.map(({ clientId }) => clientId));
    const left = this.get().filter(({ clientId }) => !shown.has(clientId));
    if (left.length < this.get().length) this.set(left);
  }

  async #deliver(pending: PendingMessage): Promise<void> {
    const { clientId } = pending;
    try {
      await this.#send(pending);
      this.#change(clientId, { state: 'accepted' });
    } catch (error) {
      const problem =
        error instanceof TokencastError
          ? { words: error.detail, code: error.code }
          : { words: 'Something went wrong in this page.', code: null };
      this.#change(clientId, { state: 'failed', problem });
    }
  }

  #change(clientId: string, change: Partial<PendingMessage>): void {
    this.set(this.get().map((one) => (one.clientId === clientId ? { ...one, ...change } : one)));
  }
}
