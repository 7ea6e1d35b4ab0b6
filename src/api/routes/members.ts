import type { Router } from 'express';
import { AppError } from '../../domain/errors.js';
import { requireRight } from '../../service/access.js';
import { acceptInvite, createInvite } from '../../service/invites.js';
import { removeMember } from '../../service/members.js';
import { transact } from '../../service/work.js';
import { listMembers } from '../../store/members.js';
import { inviteBody } from '../../wire/http.js';
import { accept } from '../accept.js';
import { createRouter, type Api } from '../api.js';
import { sessionOf } from '../middleware/authenticate.js';
import { parse } from '../parse.js';

/** `/v1/conversations/:id/members` and `…/invites`: who takes part. */
export function memberRoutes(api: Api): Router {
  const { answering, context, linkTo } = api;
  const router = createRouter();

  router.get('/:id/members', async (req, res) => {
    await answering(requireRight(context.db, req.params.id, sessionOf(res).user.id, 'read'));
    const items = await answering(listMembers(context.db, req.params.id));
    res.json({ items, nextBefore: null });
  });

  router.delete('/:id/members/:userId', async (req, res) => {
    const { id, userId } = req.params;
    // The host application's ids may be anything, but what Postgres cannot hold is nobody's.
    if (userId.includes('\0')) throw new AppError('not_found', 'There is no such member.');
    await answering(transact(context, (work) => removeMember(work, id, sessionOf(res).user.id, userId)));
    res.status(204).end();
  });

  router.post('/:id/invites', async (req, res) => {
    const fields = parse(inviteBody, req.body ?? {});
    const { user } = sessionOf(res);
    const { status, body } = await accept(api, req, res, {
      fields,
      command: async (work) => {
        const { token, expiresAt } = await createInvite(work, req.params.id, user.id, fields.role);
        return { status: 201, body: { token, url: linkTo(req, `/invite/${token}`), expiresAt } };
      },
    });
    res.status(status).json(body);
  });

  return router;
}

/** `/v1/invites`: for who is not a member yet. */
export function inviteRoutes({ answering, context }: Api): Router {
  const router = createRouter();

  router.post('/:token/accept', async (req, res) => {
    const { user } = sessionOf(res);
    res.json(await answering(transact(context, (work) => acceptInvite(work, req.params.token, user))));
  });

  return router;
}
