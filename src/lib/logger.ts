import { createRequire } from 'node:module';
import { pino, type DestinationStream, type Logger } from 'pino';
import { rootCause } from './root-cause.js';

export type { Logger } from 'pino';

/** Keys whose values are never written, down to the third level of what is logged. */
const secretKeys = [
  'authorization',
  'cookie',
  'set-cookie',
  'token',
  'access_token',
  'accessToken',
  'x-api-key',
  'apiKey',
  'password',
  'secret',
];

const redactedPaths = ['', '*.', '*.*.'].flatMap((prefix) =>
  secretKeys.map((key) => (key.includes('-') ? `${prefix.slice(0, -1)}["${key}"]` : `${prefix}${key}`)),
);

const withoutToken = (url: unknown): unknown =>
  typeof url === 'string' ? url.replace(/([?&]access_token=)[^&#]*/g, '$1[redacted]') : url;

/** An error without its other properties: they hold what was queried or sent. */
function toLoggedError(error: unknown): unknown {
  const cause = rootCause(error);
  if (!(cause instanceof Error)) return { message: String(cause) };
  const { name, message, stack } = cause;
  return { type: name, message, stack, ...('code' in cause && { code: cause.code }) };
}

interface LoggerOptions {
  /** A pino level, or `silent`. */
  level: string;
  /** Written with every line. */
  role: string;
  /** Written with every line, too, as they are at its time. */
  fields?: () => object;
  /** Where lines go; standard output if not given. */
  destination?: DestinationStream;
}

/**
 * JSON lines on standard output, with secrets and the tokens in URLs (key `url`) left out. On a terminal they are made
 * readable where `pino-pretty`, a development dependency, is installed.
 */
export function createLogger({
  level,
  role,
  fields,
  destination = prettyOnTerminal(),
}: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: { role },
      ...(fields && { mixin: fields }),
      redact: { paths: redactedPaths, censor: '[redacted]' },
      serializers: { err: toLoggedError, url: withoutToken },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
}

function prettyOnTerminal(): DestinationStream | undefined {
  if (!process.stdout.isTTY) return undefined;
  try {
    const require = createRequire(import.meta.url);
    const pretty = require('pino-pretty') as (options: object) => DestinationStream;
    return pretty({ sync: true, ignore: 'pid,hostname,role', translateTime: 'HH:MM:ss' });
  } catch {
    return undefined;
  }
}
