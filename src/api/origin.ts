import type { Request, Response } from 'express';
import type { MessageOrigin } from '../store/schema/conversations.js';
import { sessionOf } from './middleware/authenticate.js';

/** Of a longer name the rest says nothing more. */
const maxUserAgentLength = 500;

/** Where what a request sends comes from. */
export const originOf = (req: Request, res: Response): MessageOrigin => ({
  ip: req.ip ?? null,
  userAgent: req.get('user-agent')?.slice(0, maxUserAgentLength) ?? null,
  sessionId: sessionOf(res).sessionId,
});
