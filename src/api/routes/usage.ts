import type { RequestHandler } from 'express';
import { reportUsage } from '../../service/usage-report.js';
import { usageQuery } from '../../wire/usage.js';
import type { Api } from '../api.js';
import { sessionOf } from '../middleware/authenticate.js';
import { parse } from '../parse.js';

/** `GET /v1/usage`: what the caller's own generations have used. */
export function getUsage({ answering, context }: Api): RequestHandler {
  return async (req, res) => {
    const range = parse(usageQuery, req.query);
    res.json(await answering(reportUsage(context.db, sessionOf(res).user.id, range)));
  };
}
