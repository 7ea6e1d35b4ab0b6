import { ConfigError } from './config/config-error.js';
import { parseEnv, type Env, type Role } from './config/env.js';
import { createLogger, type Logger } from './lib/logger.js';
import { Shutdown } from './lib/shutdown.js';
import { StartError } from './lib/start-error.js';
import { installTracing, traceFields, type Tracing } from './lib/tracing.js';

/** Embedded stores may take this long to stop, on top of the grace for what runs. */
const closeMs = 25_000;

interface Program {
  env: Env;
  log: Logger;
  shutdown: Shutdown;
}

/**
 * Starts a program: reads its settings, and ends it in order. Whatever keeps it from starting is told in one line where
 * the user can do something about it.
 */
export async function startProgram(role: Role, start: (program: Program) => Promise<void>): Promise<void> {
  let shutdown: Shutdown | undefined;
  try {
    const env = parseEnv(process.env, { role });
    // `npm start` shows its block; from there on only what matters.
    const level = role === 'all' && env.logLevel === 'info' && process.stdout.isTTY ? 'warn' : env.logLevel;
    const tracing = await startTracing(env, role);
    const log = createLogger({ level, role, ...(tracing && { fields: traceFields }) });
    shutdown = new Shutdown({ log, timeoutMs: env.worker.shutdownGraceMs + closeMs });
    if (tracing) shutdown.add('traces', () => tracing.close());
    process.on('unhandledRejection', (reason) => {
      log.fatal({ err: reason }, 'unhandled rejection');
      void shutdown?.run('unhandled rejection', 1);
    });
    await start({ env, log, shutdown });
  } catch (error) {
    if (shutdown?.signal.aborted) return;
    console.error(error instanceof ConfigError || error instanceof StartError ? error.message : error);
    if (shutdown) await shutdown.run('the start failed', 1);
    else process.exit(1);
  }
}

/** Records traces where there is somebody to take them. Nothing of what that needs is loaded otherwise. */
async function startTracing({ tracing }: Env, role: Role): Promise<Tracing | undefined> {
  const { endpoint } = tracing;
  if (endpoint === undefined) return undefined;
  const { createOtelTracing } = await import('./lib/otel-tracing.js');
  const started = createOtelTracing({ ...tracing, endpoint, role });
  installTracing(started);
  return started;
}

/** Says in one line that a store cannot be reached. */
export async function reaching<T>(variable: 'REDIS_URL' | 'DATABASE_URL', work: Promise<T>): Promise<T> {
  const store = variable === 'REDIS_URL' ? 'Redis' : 'Postgres';
  return work.catch((error: unknown) => {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `${store} cannot be used (${reasonOf(error)}): check ${variable}, and that ${store} is running`,
    );
  });
}

/** What is at the bottom of an error, in one line: a failed query says only which query it was. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return error.message.split('\n')[0] || ('code' in error ? String(error.code) : error.name);
}
