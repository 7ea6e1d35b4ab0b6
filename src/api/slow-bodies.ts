import type { IncomingMessage, Server } from 'node:http';
import { hasBody } from './middleware/json-body.js';

/** What the server itself says when its own time for requests has passed, which is one for all of them. */
const tooSlow = () => Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });

/** Refuses requests whose body has not come after a time, but for uploads, for which the server's own has to be enough. */
export function refuseSlowBodies(server: Server, timeoutMs: number): void {
  // Ahead of the app, which takes addresses apart.
  server.prependListener('request', (request) => {
    if (!hasBody(request.headers) || isUpload(request)) return;
    const timer = setTimeout(() => {
      if (!request.complete) server.emit('clientError', tooSlow(), request.socket);
    }, timeoutMs);
    request.once('close', () => {
      clearTimeout(timer);
    });
  });
}

const isUpload = ({ method, url = '' }: IncomingMessage): boolean =>
  method === 'POST' && /^\/v1\/documents\/?(\?|$)/.test(url);
