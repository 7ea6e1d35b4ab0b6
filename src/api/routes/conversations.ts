import type { Router } from 'express';
import { AppError } from '../../domain/errors.js';
import { requireRight } from '../../service/access.js';
import { cancelConversation } from '../../service/cancel.js';
import { createConversation, deleteConversation, updateConversation } from '../../service/conversations.js';
import { transact } from '../../service/work.js';
import { findConversationView, listConversationViews } from '../../store/conversations.js';
import { markRead } from '../../store/members.js';
import { conversationQuery, readBody } from '../../wire/http.js';
import { conversationRoom } from '../../wire/room.js';
import { accept } from '../accept.js';
import { createRouter, type Api } from '../api.js';
import { sessionOf } from '../middleware/authenticate.js';
import { pageOf } from '../page.js';
import { parse } from '../parse.js';

/** `/v1/conversations`: the conversations themselves. */
export function conversationRoutes(api: Api): Router {
  const { answering, bodies, context } = api;
  const router = createRouter();

  router.post('/', async (req, res) => {
    const fields = parse(bodies.create, req.body);
    const { user } = sessionOf(res);
    const { status, body } = await accept(api, req, res, {
      fields,
      command: async (work) => ({ status: 201, body: await createConversation(context, work, user, fields) }),
    });
    // Nothing is told to its room yet, but its owner's other windows list it.
    context.activity.note(conversationRoom(body.id));
    res.status(status).location(`/v1/conversations/${body.id}`).json(body);
  });

  router.get('/', async (req, res) => {
    const { q, ...page } = parse(conversationQuery, req.query);
    const { user } = sessionOf(res);
    const found = await answering(listConversationViews(context.db, user.id, { ...page, search: q }));
    res.json(pageOf(found, page.limit));
  });

  router.get('/:id', async (req, res) => {
    const view = await answering(findConversationView(context.db, req.params.id, sessionOf(res).user.id));
    if (!view) throw new AppError('not_found', 'There is no such conversation.');
    res.json(view);
  });

  router.patch('/:id', async (req, res) => {
    const changes = parse(bodies.update, req.body);
    const { user } = sessionOf(res);
    const view = await answering(
      transact(context, (work) => updateConversation(context, work, req.params.id, user.id, changes)),
    );
    res.json(view);
  });

  router.delete('/:id', async (req, res) => {
    const { user } = sessionOf(res);
    await answering(transact(context, (work) => deleteConversation(context, work, req.params.id, user.id)));
    res.status(204).end();
  });

  router.post('/:id/cancel', async (req, res) => {
    const { user } = sessionOf(res);
    const generations = await answering(
      transact(context, (work) => cancelConversation(context, work, req.params.id, user.id)),
    );
    res.json({ generations });
  });

  router.post('/:id/read', async (req, res) => {
    const { position } = parse(readBody, req.body);
    const { user } = sessionOf(res);
    await answering(requireRight(context.db, req.params.id, user.id, 'read'));
    await answering(markRead(context.db, req.params.id, user.id, position));
    context.activity.note(conversationRoom(req.params.id));
    res.status(204).end();
  });

  return router;
}
