import type { Request, RequestHandler, Response } from 'express';
import { LRUCache } from 'lru-cache';
import type { User } from '../../domain/conversation.js';
import { AppError } from '../../domain/errors.js';
import type { Authenticate, Session } from '../../domain/session.js';

interface AuthenticationOptions {
  authenticate: Authenticate;
  /** Makes the user known, or takes over a changed name. */
  saveUser: (user: User) => Promise<void>;
  /** A further way to send the token. */
  keyOf?: (req: Request) => string | undefined;
}

/** Lets only callers with a good token pass; from here on {@link sessionOf} says who it is. */
export function authentication({ authenticate, saveUser, keyOf }: AuthenticationOptions): RequestHandler {
  // A user is written at the first request that this process sees, not at every one.
  const savedNames = new LRUCache<string, string>({ max: 10_000 });
  return async (req, res, next) => {
    const token = keyOf?.(req) || tokenOf(req);
    if (!token) throw new AppError('unauthenticated', 'Send a token: Authorization: Bearer <token>.');
    const session = await authenticate(token);
    const { user } = session;
    if (savedNames.get(user.id) !== user.name) {
      await saveUser(user);
      savedNames.set(user.id, user.name);
    }
    res.locals.session = session;
    next();
  };
}

/** Who is calling. */
export const sessionOf = (res: Response): Session => res.locals.session as Session;

/** As seen from where the authentication is mounted. */
const eventStreamPath = /^\/(events|(conversations|generations|documents)\/[^/]+\/events)$/;

/** Event streams alone may carry it in the query: a browser's EventSource sends no headers. */
function tokenOf(req: Request): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
  if (bearer) return bearer;
  const { access_token: token } = req.query;
  return req.method === 'GET' && eventStreamPath.test(req.path) && typeof token === 'string'
    ? token
    : undefined;
}
