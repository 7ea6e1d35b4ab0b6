import type { User } from './conversation.js';

/** Who a bearer token stands for. */
export interface Session {
  user: User;
  /** The token's id; null where the host application gave it none. */
  sessionId: string | null;
  /** When the token ends; null: never. */
  expiresAt: Date | null;
}

/** Checks a token. @throws AppError unauthenticated */
export type Authenticate = (token: string) => Promise<Session>;
