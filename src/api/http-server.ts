import { createServer, IncomingMessage, ServerResponse, type Server, type ServerOptions } from 'node:http';
import type { Express } from 'express';

/**
 * A server for an app, whose requests and responses are made with the prototypes that Express would give them.
 *
 * It does so by `Object.setPrototypeOf` at each request. Behind that V8 gives every object a shape of its own as soon as
 * something is added to it, shared by no other, and each access to it misses the inline caches: more than 200 times a
 * request. Where a prototype is the right one already, nothing happens.
 */
export function createHttpServer(options: ServerOptions, app: Express): Server {
  class AppRequest extends IncomingMessage {}
  class AppResponse extends ServerResponse {}
  Object.setPrototypeOf(AppRequest.prototype, app.request);
  Object.setPrototypeOf(AppResponse.prototype, app.response);
  app.request = AppRequest.prototype as Express['request'];
  app.response = AppResponse.prototype as Express['response'];
  return createServer({ ...options, IncomingMessage: AppRequest, ServerResponse: AppResponse }, app);
}
