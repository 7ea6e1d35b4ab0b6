import { AppError } from '../../domain/errors.js';

/** postgres.js, node:net and node:dns on a server that is not there. */
const connectionCodes = new Set([
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/**
 * SQLSTATEs after which the same request may well succeed (https://www.postgresql.org/docs/current/errcodes-appendix.html):
 * connection, deadlock and serialisation, resources, timeouts of locks and statements, shutdown, a replica,
 * a transaction that rested too long.
 */
const passingSqlState = /^(08...|40...|53...|55P03|57014|57P0.|25006|25P03)$/;

/** What pg says without a connection; it gives these no code. */
const postgresMessage =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Query read timeout)/;

/** What ioredis says without a connection, and Redis while it cannot serve. */
const redisMessage =
  /^(Stream isn't writeable|Command timed out|Connection is closed|Socket timeout|Cluster (isn't ready|is ended)|None of startup nodes|Failed to refresh slots|Too many Cluster redirections|(READONLY|LOADING|OOM|MISCONF|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY) )/;

/** Faults of Express and body-parser by their `type`, where the HTTP status does not say it all. */
const bodyFaults: Record<string, string> = {
  'entity.parse.failed': 'The body is not valid JSON.',
  'entity.too.large': 'The body is larger than 1 MiB.',
};

/** Every error as one that a client may read; `internal`: nobody's business, and to be logged. */
export function toAppError(error: unknown): AppError {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof AppError) return cause;
    if (isStoreAway(cause))
      return new AppError('unavailable', 'The service is not available for a moment.', {
        cause: error,
        retryAfterSeconds: 1,
      });
  }
  if (error instanceof URIError) return new AppError('not_found', 'There is nothing here.', { cause: error });
  return fromStatus(error) ?? new AppError('internal', 'Something went wrong.', { cause: error });
}

function isStoreAway(error: Error): boolean {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (
    connectionCodes.has(code) ||
    passingSqlState.test(code) ||
    error.name === 'MaxRetriesPerRequestError' ||
    redisMessage.test(error.message) ||
    postgresMessage.test(error.message)
  );
}

/** What Express and its parsers refuse carries an HTTP status (package http-errors). */
function fromStatus(error: unknown): AppError | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  const detail = 'type' in error && typeof error.type === 'string' ? bodyFaults[error.type] : undefined;
  switch (error.status) {
    case 413:
      return new AppError('payload_too_large', detail ?? 'The body is too large.', { cause: error });
    case 415:
      return new AppError('unsupported_media_type', 'The body has an unsupported encoding.', {
        cause: error,
      });
    case 404:
      return new AppError('not_found', 'There is nothing here.', { cause: error });
    default:
      return error.status < 500
        ? new AppError('invalid_request', detail ?? 'The request cannot be read.', { cause: error })
        : undefined;
  }
}
