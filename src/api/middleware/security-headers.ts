import cors from 'cors';
import type { RequestHandler } from 'express';
import helmet from 'helmet';
import type { ApiSettings } from '../settings.js';

/** What browsers may do with our answers: no foreign code, no foreign frame, and only origins that were named. */
export function securityHeaders({ corsOrigins }: Pick<ApiSettings, 'corsOrigins'>): RequestHandler[] {
  const headers: RequestHandler[] = [
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'self'"],
          baseUri: ["'none'"],
          // Browsers differ in whether 'self' includes WebSockets.
          connectSrc: ["'self'", 'ws:', 'wss:'],
          fontSrc: ["'self'"],
          formAction: ["'self'"],
          frameAncestors: ["'none'"],
          imgSrc: ["'self'", 'data:'],
          objectSrc: ["'none'"],
          scriptSrc: ["'self'"],
          styleSrc: ["'self'"],
        },
      },
    }),
  ];
  if (corsOrigins === '*' || corsOrigins.length > 0) {
    const exposedHeaders = [
      'Idempotency-Replayed',
      'Location',
      'Preference-Applied',
      'Request-Id',
      'Retry-After',
      'X-Conversation-Id',
      'X-Generation-Id',
      'X-Request-Id',
    ];
    const origin = corsOrigins === '*' ? '*' : [...corsOrigins];
    headers.push(cors({ origin, exposedHeaders, maxAge: 600 }));
  }
  return headers;
}
