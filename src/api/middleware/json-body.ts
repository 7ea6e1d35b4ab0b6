import { isUtf8 } from 'node:buffer';
import express, { type RequestHandler } from 'express';
import { AppError } from '../../domain/errors.js';
import { checkValues } from '../check-values.js';

const maxBodyBytes = 1_048_576;

/** Reads JSON bodies into `req.body`. Refuses other content types, and what no field may hold: see {@link checkValues}. */
export const jsonBody: RequestHandler[] = [
  (req, _res, next) => {
    // Answers null without a body, false for another type.
    if (req.is(['application/json', 'application/*+json']) === false && hasBody(req.headers))
      throw new AppError('unsupported_media_type', 'Send JSON, with Content-Type: application/json.');
    next();
  },
  express.json({
    limit: maxBodyBytes,
    type: ['application/json', 'application/*+json'],
    verify: (_req, _res, body, encoding) => {
      // Else what is none of it would be stored as U+FFFD.
      if (encoding === 'utf-8' && !isUtf8(body))
        throw new AppError('invalid_request', 'The body is not well-formed UTF-8.');
    },
  }),
  (req, _res, next) => {
    checkValues(req.body);
    next();
  },
];

/** Whether a request says that a body follows. */
export const hasBody = (headers: Record<string, unknown>): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
