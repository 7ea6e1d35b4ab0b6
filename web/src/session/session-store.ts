import type { Session } from '../../../src/client/index.js';
import { stored } from '../lib/stored.js';
import { Store } from '../lib/store.js';

/** Whose browser this is. `takenAt`: when the token was made, in ms since the epoch. */
export interface StoredSession extends Session {
  takenAt: number;
}

const key = 'tokencast.session';
const dayMs = 86_400_000;

/** The session of this browser, kept over reloads and shared between its windows. */
export class SessionStore extends Store<StoredSession | null> {
  constructor() {
    super(read());
    addEventListener('storage', (event) => {
      if (event.key === key) this.set(read());
    });
  }

  take(session: Session): void {
    const taken = { ...session, takenAt: Date.now() };
    stored.set(key, JSON.stringify(taken));
    this.set(taken);
  }

  /** The server no longer takes the token: ask for a name again. */
  forget(): void {
    stored.set(key, '');
    this.set(null);
  }

  /** Whether the token is more than a day old. */
  isStale(): boolean {
    const session = this.get();
    return session !== null && Date.now() - session.takenAt > dayMs;
  }
}

function read(): StoredSession | null {
  try {
    const session = JSON.parse(stored.get(key) ?? 'null') as StoredSession | null;
    return session && Date.parse(session.expiresAt) > Date.now() ? session : null;
  } catch {
    return null;
  }
}
