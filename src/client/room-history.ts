import type { TokencastHttp } from './http.js';
import type { RoomConnection } from './room-connection.js';
import { withHistory } from './room-state.js';

/** `idle`: there may be more. `failed`: asking for more did not work; asking again may. */
export type HistoryState = 'idle' | 'loading' | 'complete' | 'failed';

/** Brings the pages of a conversation that came before what its room begins with, one at a time, newest first. */
export class RoomHistory {
  readonly #listeners = new Set<() => void>();
  #state: HistoryState = 'idle';
  /** The oldest message that was held when no page came before it any more. */
  #beginning: string | null = null;

  constructor(
    private readonly http: Pick<TokencastHttp, 'listMessages'>,
    private readonly connection: Pick<RoomConnection, 'amend' | 'getSnapshot'>,
    private readonly conversationId: string,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getSnapshot = (): HistoryState => this.#state;

  /** Brings one page more. Does nothing while one is on its way, or when the beginning is there. */
  readonly loadOlder = async (): Promise<void> => {
    const oldest = this.connection.getSnapshot().room?.messages[0]?.id;
    if (oldest === undefined || this.#state === 'loading' || oldest === this.#beginning) return;
    this.#set('loading');
    try {
      const { items, nextBefore } = await this.http.listMessages(this.conversationId, { before: oldest });
      this.connection.amend((state) => withHistory(state, items));
      const first = this.connection.getSnapshot().room?.messages[0]?.id ?? null;
      // A snapshot may have replaced everything meanwhile: then what came before it is to be asked for again.
      if (nextBefore === null && (items.length === 0 || first === items[0]?.id)) this.#beginning = first;
      this.#set(first === this.#beginning ? 'complete' : 'idle');
    } catch {
      this.#set('failed');
    }
  };

  #set(state: HistoryState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
