import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { ServerOptions } from 'node:http';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createApp } from './api/app.js';
import { createAuth } from './api/auth.js';
import { createHttpServer } from './api/http-server.js';
import { ignoreUpgrades } from './api/ignore-upgrades.js';
import { answerRefused } from './api/refused-requests.js';
import { refuseSlowBodies } from './api/slow-bodies.js';
import type { Core } from './compose-core.js';
import { incomingFolder } from './compose-storage.js';
import type { Env } from './config/env.js';
import { EventStream } from './gateway/event-stream.js';
import { GatewayMetrics } from './gateway/gateway-metrics.js';
import type { Gateway } from './gateway/gateway.js';
import { streamGeneration, waitForEnd } from './gateway/generation-stream.js';
import { LogReader } from './gateway/log-reader.js';
import { Memberships } from './gateway/memberships.js';
import { registerGatewayMetrics } from './gateway/metrics.js';
import { PresenceLists } from './gateway/presence-lists.js';
import { PresenceTracker } from './gateway/presence-tracker.js';
import { Snapshots } from './gateway/snapshots.js';
import { createSocketServer } from './gateway/socket.js';
import { createEventRoutes } from './gateway/sse.js';
import { removeOldFiles } from './lib/remove-old-files.js';
import { StartError } from './lib/start-error.js';
import { Turns } from './lib/turns.js';
import { DocumentReader } from './reading/document-reader.js';
import { GatewayLeases } from './redis/gateway-leases.js';
import { Presence } from './redis/presence.js';
import { RoomHub } from './redis/room-hub.js';

/** A client with more bytes waiting for it is behind, and goes on from the log when it has drained. */
const maxPendingBytes = 256 * 1024;
/** So much of a turn of the event loop goes to clients that come in crowds. */
const turnMs = 2;
/** Four heartbeats. */
const stalledMs = 60_000;

/** Longest time of a request until all of its body is there. */
const requestMs = 60_000;
/** Documents may come as slowly as this: a telephone at the edge of its network. */
const slowestUploadBytesPerMs = 32;

/** Slow senders are cut off, and found within the checking interval; answers may take as long as they like. */
const serverLimits = (maxUploadBytes: number): ServerOptions => ({
  headersTimeout: 10_000,
  requestTimeout: requestMs + Math.ceil(maxUploadBytes / slowestUploadBytesPerMs),
  connectionsCheckingInterval: 2000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16_384,
  // The app refuses what has none.
  requireHostHeader: false,
});

/** What reading one document may take; more is not a document for people. */
const readerLimits = {
  concurrency: Math.max(1, Math.floor(availableParallelism() / 2)),
  timeoutMs: 45_000,
  maxMemoryBytes: 320 * 1024 * 1024,
};

/** Whatever is older was left by a process that died. */
const incomingMs = 3_600_000;

export interface RunningApi {
  /** Where it answers. */
  url: string;
  /** Lets requests in flight finish, and tells everybody who watches to reconnect elsewhere. */
  close(): Promise<void>;
}

interface ApiOptions {
  core: Core;
  env: Env;
  authSecret: string | undefined;
}

/** Serves HTTP, event streams and sockets. @throws StartError when the port cannot be had */
export async function startApi({ core, env, authSecret }: ApiOptions): Promise<RunningApi> {
  const { context, store, keys, redis, subscriber } = core;
  const { db, roomLog, log } = context;
  const { auth: authSettings, http } = env;
  const auth = createAuth({ ...authSettings, secret: authSecret });
  const gatewayId = randomUUID();
  const presence = new Presence(redis, keys, roomLog, gatewayId);
  const metrics = new GatewayMetrics(core.registry);
  const hub = new RoomHub({
    roomLog,
    subscriber,
    keys,
    onPublished: (entry) => {
      metrics.heard(entry);
    },
    log,
  });
  const gateway: Gateway = {
    db,
    memberships: new Memberships(db),
    roomLog,
    hub,
    reader: new LogReader(roomLog),
    snapshots: new Snapshots({ db, roomLog, presence: new PresenceLists(presence) }),
    presence: new PresenceTracker(presence, new GatewayLeases(redis, keys, gatewayId), log),
    authenticate: auth.authenticate,
    turns: new Turns(turnMs),
    log,
    maxPendingBytes,
    stalledMs,
    streams: new Set(),
    sockets: new Set(),
    metrics,
  };
  await removeOldFiles(incomingFolder(env), incomingMs);
  registerGatewayMetrics(core.registry, gateway, subscriber);
  const draining = new AbortController();
  setMaxListeners(0, draining.signal); // one for each request that waits
  const app = createApp({
    context,
    store,
    pingRedis: core.pingRedis,
    redis,
    rateLimitPrefix: keys.rateLimit,
    registry: core.registry,
    auth,
    events: createEventRoutes(gateway),
    documents: {
      storage: core.storage,
      reader: new DocumentReader(readerLimits),
      incomingFolder: incomingFolder(env),
      maxUploadBytes: env.limits.maxUploadBytes,
    },
    streams: {
      stream: async (request, response, generation, session, { dialect, after } = {}) => {
        const stream = new EventStream(request, response, session, gateway, dialect);
        try {
          await streamGeneration(gateway, stream, response, session.user, generation, after);
        } catch (error) {
          stream.close();
          throw error;
        }
      },
      waitForEnd: (generation, timeoutMs, signal, { user }) =>
        waitForEnd(gateway, user, generation, timeoutMs, [signal, draining.signal]),
    },
    settings: {
      production: env.production,
      webRoot: webRoot(),
      publicUrl: http.publicUrl?.replace(/\/+$/, ''),
      adminToken: env.admin.token,
      corsOrigins: http.corsOrigins,
      trustProxy: http.trustProxy,
      limits: env.limits,
    },
  });

  const server = createHttpServer(serverLimits(env.limits.maxUploadBytes), app);
  const sockets = createSocketServer(server, gateway, {
    corsOrigins: http.corsOrigins,
    straight: http.straightFrames,
  });
  answerRefused(server);
  refuseSlowBodies(server, requestMs);
  ignoreUpgrades(server, (request) => sockets.takesUpgrade(request));
  // An expectation that is not known may be ignored (RFC 9110, 10.1.1).
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(cannotListen(error, http.host, http.port));
    });
    server.listen(http.port, http.host, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : http.port;
  return {
    url: `http://${http.host.includes(':') ? `[${http.host}]` : http.host}:${port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      draining.abort();
      // Again and again: a connection is idle only when its request has been answered, and one that is kept may still
      // bring a new one.
      const letGo = () => {
        for (const stream of [...gateway.streams]) stream.end();
        server.closeIdleConnections();
      };
      letGo();
      const timer = setInterval(letGo, 50);
      await sockets.drain();
      await closed;
      clearInterval(timer);
      await gateway.presence.close();
      hub.close();
    },
  };
}

/** The built web page, seen from `src/` and from `dist/src/`. */
function webRoot(): string {
  const fromSource = import.meta.url.endsWith('.ts');
  return fileURLToPath(new URL(fromSource ? '../web/dist' : '../../web/dist', import.meta.url));
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE')
    return new StartError(`Port ${port} on ${host} is in use: stop what uses it, or set PORT to another one`);
  if (error.code === 'EACCES' || error.code === 'EADDRNOTAVAIL')
    return new StartError(
      `Cannot listen on ${host}:${port} (${error.code}): set HOST or PORT to another one`,
    );
  return error;
}
