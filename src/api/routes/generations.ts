import type { Router } from 'express';
import { cancelGeneration } from '../../service/cancel.js';
import { continueGeneration } from '../../service/rewrite.js';
import { transact } from '../../service/work.js';
import { accept } from '../accept.js';
import { createRouter, type Api } from '../api.js';
import { sessionOf } from '../middleware/authenticate.js';
import { forgetCachedAnswer, readGeneration } from '../read-generation.js';

/** `/v1/generations`. */
export function generationRoutes(api: Api): Router {
  const { answering, context, rateLimits, requireRedis } = api;
  const router = createRouter();

  router.get('/:id', async (req, res) => {
    res.json(await answering(readGeneration(context, req.params.id, sessionOf(res).user.id)));
  });

  router.delete('/:id/cache', async (req, res) => {
    await requireRedis();
    await answering(forgetCachedAnswer(context, req.params.id, sessionOf(res).user.id));
    res.status(204).end();
  });

  router.post('/:id/cancel', async (req, res) => {
    const { user } = sessionOf(res);
    const generation = await answering(
      transact(context, (work) => cancelGeneration(context, work, req.params.id, user.id)),
    );
    res.status(202).json(generation);
  });

  router.post('/:id/continue', async (req, res) => {
    const { user } = sessionOf(res);
    const { status, body } = await accept(api, req, res, {
      fields: {},
      needsRedis: true,
      limit: () => rateLimits.message(user.id),
      command: async (work) => ({
        status: 202,
        body: { generation: await continueGeneration(context, work, req.params.id, user.id) },
      }),
    });
    res.location(`/v1/generations/${body.generation.id}`).status(status).json(body);
  });

  return router;
}
