import type { Request, Response, Router } from 'express';
import { utcDay } from '../../domain/budget.js';
import { toNano } from '../../domain/cost.js';
import { AppError } from '../../domain/errors.js';
import { requireRight } from '../../service/access.js';
import { budgetView, readBudgets } from '../../service/budget.js';
import {
  conversationBudget,
  resetBudget,
  setBudgetLimit,
  userBudget,
  type BudgetKey,
} from '../../store/budgets.js';
import { findConversation } from '../../store/conversations.js';
import { budgetLimitBody } from '../../wire/budget.js';
import { createRouter, type Api } from '../api.js';
import { sessionOf } from '../middleware/authenticate.js';
import { parse } from '../parse.js';

/** `GET /v1/conversations/:id/budget`, for its members. */
export function budgetRoutes(api: Api): Router {
  const router = createRouter();
  router.get('/:id/budget', async (req, res) => {
    const { id } = req.params;
    await api.answering(requireRight(api.context.db, id, sessionOf(res).user.id, 'read'));
    await answerBudget(api, res, conversationBudget(id));
  });
  return router;
}

/**
 * `/admin/budgets/users/:userId` (of today, UTC; the limit is that of every day) and `/admin/budgets/conversations/:id`:
 * for operators to read, limit (PUT) and reset (DELETE: the setting's limit, and nothing spent).
 */
export function adminBudgetRoutes(api: Api): Router {
  const { answering, context } = api;
  const { db } = context;
  const router = createRouter();

  const routes = (path: string, keyOf: (req: Request) => Promise<BudgetKey>) => {
    router.get(path, async (req, res) => {
      await answerBudget(api, res, await keyOf(req));
    });
    router.put(path, async (req, res) => {
      const { limitUsd } = parse(budgetLimitBody, req.body);
      const key = await keyOf(req);
      const limitNano = limitUsd === null ? null : toNano(limitUsd);
      await answering(setBudgetLimit(db, key.scope, key.subject, limitNano));
      await answerBudget(api, res, key);
    });
    router.delete(path, async (req, res) => {
      const key = await keyOf(req);
      await answering(db.transaction((tx) => resetBudget(tx, key)));
      await answerBudget(api, res, key);
    });
  };

  routes('/conversations/:id', async ({ params: { id = '' } }) => {
    if (!(await answering(findConversation(db, String(id)))))
      throw new AppError('not_found', 'There is no such conversation.');
    return conversationBudget(String(id));
  });
  // In jwt mode an id may be any string, and known before its user has ever been here.
  routes('/users/:userId', ({ params: { userId = '' } }) => {
    const id = String(userId);
    if (id.includes('\0') || !id.isWellFormed()) throw new AppError('not_found', 'There is no such user.');
    return Promise.resolve(userBudget(id, utcDay(new Date())));
  });
  return router;
}

async function answerBudget({ answering, context }: Api, res: Response, key: BudgetKey): Promise<void> {
  const budgets = await answering(readBudgets(context.db, context.budgets, [key]));
  res.json(budgets.map(budgetView)[0]);
}
