import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { AppError } from '../../domain/errors.js';

interface AdminOptions {
  adminToken: string | undefined;
  production: boolean;
}

/** Guards what is for operators: by token where there is one (bearer or Basic password); else hidden in production. */
export function adminOnly({ adminToken, production }: AdminOptions): RequestHandler {
  return (req, res, next) => {
    if (adminToken === undefined) {
      if (production) throw new AppError('not_found', 'There is nothing here.');
    } else if (!isSame(givenToken(req.headers.authorization ?? ''), adminToken)) {
      res.set('WWW-Authenticate', 'Basic realm="tokencast", charset="UTF-8"');
      throw new AppError('unauthenticated', 'This needs the admin token.');
    }
    next();
  };
}

function givenToken(authorization: string): string {
  const [, scheme = '', credentials = ''] = /^(bearer|basic) +(\S+)$/i.exec(authorization) ?? [];
  if (scheme.toLowerCase() !== 'basic') return credentials;
  const decoded = Buffer.from(credentials, 'base64').toString();
  return decoded.slice(decoded.indexOf(':') + 1);
}

/** In a time that tells nothing about the token. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
