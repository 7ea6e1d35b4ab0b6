import { Router, type Request } from 'express';
import { AppError } from '../domain/errors.js';
import type { ServiceContext } from '../service/service-context.js';
import { isUuid } from '../wire/room.js';
import type { ConversationBodies } from '../wire/http.js';
import type { Auth } from './auth.js';
import type { GenerationStreams } from './generation-streams.js';
import type { RateLimits } from './rate-limits.js';
import type { StoreWatch } from './store-watch.js';

/** What the routes work with. */
export interface Api extends StoreWatch {
  context: ServiceContext;
  auth: Auth;
  rateLimits: RateLimits;
  streams: GenerationStreams;
  /** The address of a page of ours, as the caller's browser reaches it: `PUBLIC_URL`, else as the request came. */
  linkTo: (req: Request, path: string) => string;
  /** Schemas of the bodies whose limits are settings. */
  bodies: ConversationBodies;
}

/** A router whose `:id`s are ids of ours: nothing else is there. */
export function createRouter(): Router {
  const router = Router({ caseSensitive: true });
  router.param('id', (_req, _res, next, id) => {
    if (!isUuid(id)) throw new AppError('not_found', 'There is nothing here.');
    next();
  });
  return router;
}
