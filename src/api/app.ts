import express, { type Express, type RequestHandler, type Router } from 'express';
import { Registry } from 'prom-client';
import type { User } from '../domain/conversation.js';
import { AppError } from '../domain/errors.js';
import { registerProcessMetrics } from '../lib/process-metrics.js';
import { isTracing } from '../lib/tracing.js';
import type { RedisClient } from '../redis/connect.js';
import type { ServiceContext } from '../service/service-context.js';
import type { Store } from '../store/database.js';
import { saveUser } from '../store/users.js';
import { conversationBodies } from '../wire/http.js';
import { aiSdkDoor } from './ai-sdk/ai-sdk-door.js';
import { anthropicDoor, anthropicHead, keyOf } from './anthropic/anthropic-door.js';
import { anthropicErrors } from './anthropic/anthropic-errors.js';
import type { Api } from './api.js';
import type { Auth } from './auth.js';
import type { GenerationStreams } from './generation-streams.js';
import { adminOnly } from './middleware/admin.js';
import { authentication } from './middleware/authenticate.js';
import { httpMetrics } from './middleware/http-metrics.js';
import { jsonBody } from './middleware/json-body.js';
import { nothingHere, problems } from './middleware/problem.js';
import { requestLog } from './middleware/request-log.js';
import { securityHeaders } from './middleware/security-headers.js';
import { tracedRequests } from './middleware/traced-requests.js';
import { createRateLimits } from './rate-limits.js';
import { uploadDocument, type DocumentHost } from './documents/upload-document.js';
import { adminBudgetRoutes, budgetRoutes } from './routes/budgets.js';
import { apiDocumentRoutes } from './routes/api-documents.js';
import { conversationRoutes } from './routes/conversations.js';
import { documentRoutes } from './routes/documents.js';
import { generationRoutes } from './routes/generations.js';
import { getMe } from './routes/me.js';
import { inviteRoutes, memberRoutes } from './routes/members.js';
import { messageRoutes, singleMessageRoutes } from './routes/messages.js';
import { getModels } from './routes/models.js';
import { operationRoutes } from './routes/operations.js';
import { queueBoardPath, queueRoutes } from './routes/queues.js';
import { createSession, sessionRoutes } from './routes/sessions.js';
import { getUsage } from './routes/usage.js';
import { webhookRoutes } from './routes/webhooks.js';
import { webApp } from './routes/web-app.js';
import type { ApiSettings } from './settings.js';
import { createStoreWatch } from './store-watch.js';

export interface AppOptions {
  context: ServiceContext;
  store: Pick<Store, 'ping'>;
  /** Throws when Redis does not answer. */
  pingRedis: () => Promise<void>;
  /** Counts for the rate limits; a connection whose commands fail when Redis is away. */
  redis: RedisClient;
  /** Prefix of the rate limits' keys. */
  rateLimitPrefix: string;
  auth: Auth;
  streams: GenerationStreams;
  /** The event streams below `/v1`, which find the caller's session in `res.locals.session`. */
  events: Router;
  documents: DocumentHost;
  settings: ApiSettings;
  /** Where metrics are registered, so that others can add theirs. */
  registry?: Registry;
}

/** The whole HTTP side. What goes wrong in any of it is answered as problem+json by its last handler. */
export function createApp(options: AppOptions): Express {
  const { context, store, pingRedis, auth, streams, events, documents, settings } = options;
  const { registry = new Registry() } = options;
  const watch = createStoreWatch({ pingPostgres: () => store.ping(), pingRedis });
  const api: Api = {
    ...watch,
    context,
    auth,
    streams,
    linkTo: (req, path) => `${settings.publicUrl ?? `${req.protocol}://${req.get('host') ?? ''}`}${path}`,
    bodies: conversationBodies(settings.limits.maxMessageChars),
    rateLimits: createRateLimits({
      redis: options.redis,
      keyPrefix: options.rateLimitPrefix,
      ...settings.limits,
    }),
  };
  const identity = {
    authenticate: auth.authenticate,
    saveUser: (user: User) => watch.answering(saveUser(context.db, user)),
  };
  const authenticated = authentication(identity);
  registerProcessMetrics(registry);

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.set('trust proxy', settings.trustProxy);
  app.use(requestLog(context.log));
  if (isTracing()) app.use(tracedRequests);
  app.use(httpMetrics(registry), ...securityHeaders(settings), hostRequired);
  app.use(operationRoutes({ registry, settings, pingPostgres: () => store.ping(), pingRedis }));

  app.use(queueBoardPath, notStored, adminOnly(settings), queueRoutes(context));
  app.use(apiDocumentRoutes(api, settings.webRoot));

  app.use('/admin/budgets', notStored, adminOnly(settings), ...jsonBody, adminBudgetRoutes(api));

  app.use(
    '/anthropic',
    anthropicHead,
    notStored,
    authentication({ ...identity, keyOf }),
    ...jsonBody,
    anthropicDoor(api, settings.limits.maxMessageChars),
    anthropicErrors(context.log),
  );
  app.use('/ai-sdk', notStored, authenticated, ...jsonBody, aiSdkDoor(api, settings.limits.maxMessageChars));

  app.use('/v1', notStored);
  app.post('/v1/sessions', ...jsonBody, createSession(api));
  app.use('/v1', authenticated);
  app.post('/v1/documents', uploadDocument(api, documents));
  app.use('/v1', ...jsonBody);
  app.use('/v1/sessions', sessionRoutes(api));
  app.get('/v1/me', getMe(api));
  app.get('/v1/models', getModels(api));
  app.get('/v1/usage', getUsage(api));
  app.use(
    '/v1/conversations',
    conversationRoutes(api),
    messageRoutes(api),
    memberRoutes(api),
    budgetRoutes(api),
  );
  app.use('/v1/messages', singleMessageRoutes(api));
  app.use('/v1/generations', generationRoutes(api));
  app.use('/v1/invites', inviteRoutes(api));
  app.use('/v1/documents', documentRoutes(api, documents));
  app.use('/v1/webhooks', webhookRoutes(api));
  app.use('/v1', events);

  app.use(webApp(settings.webRoot));
  app.use(nothingHere, problems(context.log));
  return app;
}

/** RFC 9112, 3.2. Node would refuse it by itself, without a word. */
const hostRequired: RequestHandler = (req, _res, next) => {
  if (req.httpVersion === '1.1' && req.headers.host === undefined)
    throw new AppError('invalid_request', 'A request of HTTP/1.1 names its host: Host: …');
  next();
};

/** Answers belong to the caller alone, and to the moment. */
const notStored: RequestHandler = (_req, res, next) => {
  res.set('Cache-Control', 'no-store');
  next();
};
