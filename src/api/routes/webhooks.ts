import type { Router } from 'express';
import { noSuch } from '../../domain/errors.js';
import { transact } from '../../service/work.js';
import {
  changeWebhook,
  createWebhook,
  removeWebhook,
  testWebhook,
  toDelivery,
  toWebhook,
} from '../../service/webhooks.js';
import { findWebhook, listDeliveries, listWebhooks } from '../../store/webhooks.js';
import { listQuery } from '../../wire/http.js';
import { newWebhookBody, webhookChangesBody } from '../../wire/webhooks.js';
import { accept } from '../accept.js';
import { createRouter, type Api } from '../api.js';
import { sessionOf } from '../middleware/authenticate.js';
import { pageOf } from '../page.js';
import { parse } from '../parse.js';

/** `/v1/webhooks`: the caller's own endpoints. */
export function webhookRoutes(api: Api): Router {
  const { answering, context, rateLimits } = api;
  const router = createRouter();

  const own = async (id: string, userId: string) => {
    const row = await answering(findWebhook(context.db, id, userId));
    if (!row) throw noSuch('webhook');
    return row;
  };

  router.post('/', async (req, res) => {
    const fields = parse(newWebhookBody, req.body);
    const { user } = sessionOf(res);
    const { status, body } = await accept(api, req, res, {
      fields,
      command: async (work) => ({ status: 201, body: await createWebhook(work, user, fields) }),
    });
    res.status(status).location(`/v1/webhooks/${body.id}`).json(body);
  });

  router.get('/', async (_req, res) => {
    const rows = await answering(listWebhooks(context.db, sessionOf(res).user.id));
    res.json({ items: rows.map(toWebhook), nextBefore: null });
  });

  router.get('/:id', async (req, res) => {
    res.json(toWebhook(await own(req.params.id, sessionOf(res).user.id)));
  });

  router.patch('/:id', async (req, res) => {
    const changes = parse(webhookChangesBody, req.body);
    const { user } = sessionOf(res);
    res.json(
      await answering(transact(context, (work) => changeWebhook(work, req.params.id, user.id, changes))),
    );
  });

  router.delete('/:id', async (req, res) => {
    const { user } = sessionOf(res);
    await answering(transact(context, (work) => removeWebhook(work, req.params.id, user.id)));
    res.status(204).end();
  });

  router.post('/:id/test', async (req, res) => {
    const { user } = sessionOf(res);
    // It makes us send something: as often as somebody may write.
    await rateLimits.message(user.id);
    await answering(transact(context, (work) => testWebhook(work, req.params.id, user.id)));
    res.status(202).json(toWebhook(await own(req.params.id, user.id)));
  });

  router.get('/:id/deliveries', async (req, res) => {
    const page = parse(listQuery, req.query);
    await own(req.params.id, sessionOf(res).user.id);
    const rows = await answering(listDeliveries(context.db, req.params.id, page));
    res.json(pageOf(rows.map(toDelivery), page.limit));
  });

  return router;
}
