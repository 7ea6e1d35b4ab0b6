import type { RequestHandler } from 'express';
import type { Api } from '../api.js';

/** `GET /v1/models`: those that this server has a key for. */
export function getModels({ context }: Api): RequestHandler {
  return (_req, res) => {
    res.json({ items: context.models.available });
  };
}
