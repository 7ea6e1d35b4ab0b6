import type { RequestHandler, Router } from 'express';
import type { User } from '../../domain/conversation.js';
import { AppError } from '../../domain/errors.js';
import { uuidv7 } from '../../service/ids.js';
import { saveUser } from '../../store/users.js';
import { sessionBody } from '../../wire/http.js';
import { createRouter, type Api } from '../api.js';
import { sessionOf } from '../middleware/authenticate.js';
import { parse } from '../parse.js';

async function sessionFor(auth: Api['auth'], user: User) {
  const { token, expiresAt } = await auth.issue(user);
  return { token, user, expiresAt: expiresAt.toISOString() };
}

/** `POST /v1/sessions`: the one door without a token. */
export function createSession({ auth, answering, context, rateLimits }: Api): RequestHandler {
  return async (req, res) => {
    if (auth.mode !== 'guest') throw new AppError('not_found', 'Sessions come from the application.');
    const { name } = parse(sessionBody, req.body);
    await rateLimits.session(req.ip ?? '');
    const user = { id: uuidv7(), name };
    await answering(saveUser(context.db, user));
    res.status(201).json(await sessionFor(auth, user));
  };
}

/** `POST /v1/sessions/refresh`. */
export function sessionRoutes({ auth }: Api): Router {
  const router = createRouter();
  router.post('/refresh', async (_req, res) => {
    res.json(await sessionFor(auth, sessionOf(res).user));
  });
  return router;
}
