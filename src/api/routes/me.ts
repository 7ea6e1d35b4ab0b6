import type { RequestHandler } from 'express';
import { utcDay } from '../../domain/budget.js';
import { budgetView, readBudgets } from '../../service/budget.js';
import { userBudget } from '../../store/budgets.js';
import type { Api } from '../api.js';
import { sessionOf } from '../middleware/authenticate.js';

/** `GET /v1/me`: the caller, and their budget of today (UTC). */
export function getMe({ answering, context }: Api): RequestHandler {
  return async (_req, res) => {
    const { user } = sessionOf(res);
    const today = userBudget(user.id, utcDay(new Date()));
    const budgets = await answering(readBudgets(context.db, context.budgets, [today]));
    res.json({ user, budget: budgets.map(budgetView)[0] });
  };
}
