import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError } from './config-error.js';
import { readMcpServers, type McpServer } from './mcp-servers.js';
import {
  connection,
  count,
  dollars,
  hosts,
  httpUrl,
  milliseconds,
  oneOf,
  origins,
  pem,
  port,
  redisUrl,
  share,
  trustProxy,
  waits,
  whole,
  yesOrNo,
} from './variables.js';

/** Which program reads its settings: `all` is `npm start`. */
export type Role = 'all' | 'api' | 'worker';

/** Variables whose value is never shown, and which may also be given as `<NAME>_FILE`. */
const secrets = [
  'ANTHROPIC_API_KEY',
  'MISTRAL_API_KEY',
  'OPENAI_API_KEY',
  'AUTH_SECRET',
  'ADMIN_TOKEN',
  'REDIS_URL',
  'REDIS_TLS_CA',
  'REDIS_TLS_CERT',
  'REDIS_TLS_KEY',
  'DATABASE_URL',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
] as const;

/** Variables that may hold a password although they are no secrets by name. */
const hidden = new Set<string>([...secrets, 'ANTHROPIC_BASE_URL', 'MISTRAL_BASE_URL', 'OPENAI_BASE_URL']);

const minSecretBytes = 32;

const variables = z.object({
  NODE_ENV: z.string().default(''),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
  OTEL_SERVICE_NAME: z.string().default('tokencast'),
  OTEL_TRACES_SAMPLER_ARG: share.default(1),
  LOG_LEVEL: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info'),

  PORT: port.default(3000),
  HOST: z.string().default('127.0.0.1'),
  PUBLIC_URL: httpUrl.optional(),
  TRUST_PROXY: trustProxy.default(false),
  CORS_ORIGINS: origins.default([]),
  SOCKET_STRAIGHT_FRAMES: yesOrNo.default(true),

  REDIS_URL: redisUrl.optional(),
  REDIS_TLS_CA: pem.optional(),
  REDIS_TLS_CERT: pem.optional(),
  REDIS_TLS_KEY: pem.optional(),
  DATABASE_URL: connection('postgres:', 'postgresql:').optional(),
  DATA_DIR: z.string().default('.data'),
  S3_BUCKET: z.string().optional(),
  S3_ENDPOINT: httpUrl.optional(),
  S3_REGION: z.string().default('us-east-1'),
  S3_PREFIX: z.string().default(''),
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
  REDIS_KEY_PREFIX: z
    .string()
    .regex(/^[\w.-]{1,64}$/, { error: 'must be 1 to 64 letters, digits, dots, dashes or underscores' })
    .default('tokencast'),

  ANTHROPIC_API_KEY: z.string().optional(),
  ANTHROPIC_BASE_URL: httpUrl.optional(),
  MISTRAL_API_KEY: z.string().optional(),
  MISTRAL_BASE_URL: httpUrl.optional(),
  OPENAI_API_KEY: z.string().optional(),
  OPENAI_BASE_URL: httpUrl.optional(),

  DEFAULT_MODEL: z.string().optional(),
  DEFAULT_MAX_TOKENS: whole(1, 1_000_000, 'tokens').default(4096),
  DEMO_TOKENS_PER_SECOND: whole(0, 1_000_000, '0: as fast as it goes').default(60),

  FETCH_URL_ALLOW: hosts.default([]),
  MCP_CONFIG_FILE: z.string().optional(),

  AUTH_MODE: oneOf('guest', 'jwt').default('guest'),
  AUTH_SECRET: z
    .string()
    .refine((value) => Buffer.byteLength(value) >= minSecretBytes, {
      error: `must have at least ${minSecretBytes} bytes; make one with: openssl rand -base64 48`,
    })
    .optional(),
  AUTH_JWKS_URL: httpUrl.optional(),
  AUTH_AUDIENCE: z.string().optional(),
  AUTH_ISSUER: z.string().optional(),
  ADMIN_TOKEN: z.string().optional(),

  MAX_MESSAGE_CHARS: count().default(32_000),
  MAX_UPLOAD_BYTES: count().default(10_485_760),
  USER_MESSAGES_PER_MINUTE: count().default(30),
  SESSIONS_PER_HOUR_PER_IP: count().default(60),
  MAX_QUEUED_GENERATIONS: count().default(10_000),
  USER_BUDGET_USD_PER_DAY: dollars(1_000_000).optional(),
  CONVERSATION_BUDGET_USD: dollars(1_000_000).optional(),

  WORKER_CONCURRENCY: whole(1, 10_000).default(50),
  DOCUMENT_CONCURRENCY: whole(1, 1000).default(8),
  DOCUMENT_SECTIONS_AT_ONCE: whole(1, 100).default(4),
  WORKER_PORT: port.optional(),
  FLUSH_INTERVAL_MS: whole(0, 60_000, 'milliseconds').default(0),
  GENERATION_TIMEOUT_MS: milliseconds(1).default(300_000),
  IDLE_TIMEOUT_MS: milliseconds(1).default(60_000),
  FIRST_TOKEN_TIMEOUT_MS: milliseconds(1).optional(),
  CACHE_SHARED: yesOrNo.default(false),
  CACHE_MAX_BYTES: count(0).default(67_108_864),
  WEBHOOK_ALLOW_PRIVATE: yesOrNo.default(false),
  WEBHOOK_RETRY_SECONDS: waits.default([5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400].map((s) => s * 1000)),
  SHUTDOWN_GRACE_MS: milliseconds(0).default(10_000),
});

/** All that are read, in the order of their groups. */
export const variableNames: readonly string[] = [
  ...Object.keys(variables.shape),
  ...secrets.map((name) => `${name}_FILE`),
];

type Variables = z.infer<typeof variables>;

/** The settings in the groups that read them; what is optional is undefined when it is not set. */
const grouped = (v: Variables, mcpServers: readonly McpServer[]) => ({
  production: v.NODE_ENV === 'production',
  logLevel: v.LOG_LEVEL,
  /** Without an endpoint there are no traces. */
  tracing: {
    endpoint: v.OTEL_EXPORTER_OTLP_ENDPOINT,
    serviceName: v.OTEL_SERVICE_NAME,
    sampleRatio: v.OTEL_TRACES_SAMPLER_ARG,
  },
  http: {
    port: v.PORT,
    host: v.HOST,
    publicUrl: v.PUBLIC_URL,
    trustProxy: v.TRUST_PROXY,
    corsOrigins: v.CORS_ORIGINS,
    straightFrames: v.SOCKET_STRAIGHT_FRAMES,
  },
  /** A store without a URL is an embedded one. */
  stores: {
    redisUrl: v.REDIS_URL,
    databaseUrl: v.DATABASE_URL,
    dataDir: v.DATA_DIR,
    keyPrefix: v.REDIS_KEY_PREFIX,
  },
  /** PEM, for a Redis over TLS; without a CA the system's are trusted. */
  redisTls: { ca: v.REDIS_TLS_CA, cert: v.REDIS_TLS_CERT, key: v.REDIS_TLS_KEY },
  providers: {
    anthropic: { apiKey: v.ANTHROPIC_API_KEY, baseUrl: v.ANTHROPIC_BASE_URL },
    mistral: { apiKey: v.MISTRAL_API_KEY, baseUrl: v.MISTRAL_BASE_URL },
    openai: { apiKey: v.OPENAI_API_KEY, baseUrl: v.OPENAI_BASE_URL },
    /** 0: as fast as it goes. */
    demo: { tokensPerSecond: v.DEMO_TOKENS_PER_SECOND },
  },
  generation: {
    defaultModel: v.DEFAULT_MODEL,
    defaultMaxTokens: v.DEFAULT_MAX_TOKENS,
    timeoutMs: v.GENERATION_TIMEOUT_MS,
    idleTimeoutMs: v.IDLE_TIMEOUT_MS,
    /** Undefined: the silence before the first token is like any other. */
    firstTokenTimeoutMs: v.FIRST_TOKEN_TIMEOUT_MS,
    flushIntervalMs: v.FLUSH_INTERVAL_MS,
  },
  tools: {
    /** Hosts that `fetch_url` may ask; none: there is no such tool. */
    fetchUrlAllow: v.FETCH_URL_ALLOW,
    mcpServers,
  },
  auth: {
    mode: v.AUTH_MODE,
    secret: v.AUTH_SECRET,
    jwksUrl: v.AUTH_JWKS_URL,
    audience: v.AUTH_AUDIENCE,
    issuer: v.AUTH_ISSUER,
  },
  admin: { token: v.ADMIN_TOKEN },
  limits: {
    maxMessageChars: v.MAX_MESSAGE_CHARS,
    maxUploadBytes: v.MAX_UPLOAD_BYTES,
    userMessagesPerMinute: v.USER_MESSAGES_PER_MINUTE,
    sessionsPerHourPerIp: v.SESSIONS_PER_HOUR_PER_IP,
    maxQueuedGenerations: v.MAX_QUEUED_GENERATIONS,
  },
  /** Without a bucket files are kept below `DATA_DIR`. */
  s3: v.S3_BUCKET && {
    bucket: v.S3_BUCKET,
    endpoint: v.S3_ENDPOINT,
    region: v.S3_REGION,
    prefix: v.S3_PREFIX,
    credentials:
      v.S3_ACCESS_KEY_ID && v.S3_SECRET_ACCESS_KEY
        ? { accessKeyId: v.S3_ACCESS_KEY_ID, secretAccessKey: v.S3_SECRET_ACCESS_KEY }
        : undefined,
  },
  documents: {
    /** Sections and phases at once, per provider, in one worker process. */
    concurrency: v.DOCUMENT_CONCURRENCY,
    /** Sections of one document that may be queued or running together. */
    sectionsAtOnce: v.DOCUMENT_SECTIONS_AT_ONCE,
  },
  cache: {
    /** Whether users get the answers that others have had. */
    shared: v.CACHE_SHARED,
    /** Of all answers that are kept for replaying. */
    maxBytes: v.CACHE_MAX_BYTES,
  },
  /** In nano-dollars (10⁻⁹ USD); null: no limit. */
  budgets: {
    userNanoPerDay: v.USER_BUDGET_USD_PER_DAY ?? null,
    conversationNano: v.CONVERSATION_BUDGET_USD ?? null,
  },
  webhooks: {
    /** Whether endpoints may be in networks of ours. */
    allowPrivate: v.WEBHOOK_ALLOW_PRIVATE,
    /** Before each further attempt. */
    retryDelaysMs: v.WEBHOOK_RETRY_SECONDS,
  },
  worker: {
    concurrency: v.WORKER_CONCURRENCY,
    port: v.WORKER_PORT,
    shutdownGraceMs: v.SHUTDOWN_GRACE_MS,
  },
});

type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

/** All settings of a program, deeply frozen. */
export type Env = Frozen<ReturnType<typeof grouped>>;

/** The strings of the environment, as `process.env` holds them. */
export type EnvSource = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks all settings once. An empty variable counts as not set; unknown ones are ignored.
 *
 * @throws {ConfigError} at the first wrong, missing or unreadable value.
 */
export function parseEnv(source: EnvSource, { role }: { role: Role }): Env {
  const given = withSecretFiles(source);
  const parsed = variables.safeParse(given);
  if (!parsed.success) throw wrongValue(parsed.error, given);
  requireFor(role, parsed.data);
  const { MCP_CONFIG_FILE: mcpFile } = parsed.data;
  // The api only has to know the names: it need not have what the servers are reached with.
  const environment = role === 'api' ? undefined : source;
  const mcpServers = mcpFile === undefined ? [] : readMcpServers(mcpFile, { environment });
  return deepFreeze(grouped(parsed.data, mcpServers));
}

/** The variables that are set, trimmed, with the secrets that are given as files. */
function withSecretFiles(source: EnvSource): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(source)) {
    const trimmed = value?.trim();
    if (trimmed) given[name] = trimmed;
  }
  for (const name of secrets) {
    const file = `${name}_FILE`;
    const path = given[file];
    if (path === undefined) continue;
    if (given[name] !== undefined) throw new ConfigError(file, `and ${name} are both set; set one of them`);
    given[name] = readSecret(file, path);
  }
  return given;
}

function readSecret(variable: string, path: string): string {
  let content: string;
  try {
    content = readFileSync(path, 'utf8').trim();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new ConfigError(variable, `names ${path}, which cannot be read (${code})`);
  }
  if (!content) throw new ConfigError(variable, `names ${path}, which is empty`);
  return content;
}

function wrongValue({ issues }: z.ZodError, given: Record<string, string>): ConfigError {
  const name = String(issues[0]?.path[0]);
  const shown = hidden.has(name) ? '' : ` (it is ${JSON.stringify(given[name]?.slice(0, 100))})`;
  return new ConfigError(name, `${issues[0]?.message ?? 'is wrong'}${shown}`);
}

/** What must be given: with something else, and of the roles apart and production, since nobody makes it for them. */
function requireFor(role: Role, v: Variables): void {
  if (role !== 'all') {
    if (!v.REDIS_URL) throw missing('REDIS_URL', 'for the roles apart, such as redis://127.0.0.1:6379');
    if (!v.DATABASE_URL) {
      throw missing(
        'DATABASE_URL',
        'for the roles apart, such as postgres://user:password@127.0.0.1:5432/tokencast',
      );
    }
  }
  if (v.REDIS_TLS_CERT && !v.REDIS_TLS_KEY) throw missing('REDIS_TLS_KEY', 'with REDIS_TLS_CERT');
  if (v.REDIS_TLS_KEY && !v.REDIS_TLS_CERT) throw missing('REDIS_TLS_CERT', 'with REDIS_TLS_KEY');
  if (v.S3_ENDPOINT && !v.S3_BUCKET) throw missing('S3_BUCKET', 'with S3_ENDPOINT');
  if (v.S3_ACCESS_KEY_ID && !v.S3_SECRET_ACCESS_KEY)
    throw missing('S3_SECRET_ACCESS_KEY', 'with S3_ACCESS_KEY_ID');
  if (v.S3_SECRET_ACCESS_KEY && !v.S3_ACCESS_KEY_ID)
    throw missing('S3_ACCESS_KEY_ID', 'with S3_SECRET_ACCESS_KEY');
  if (role === 'worker' || v.AUTH_SECRET) return;
  const howTo = 'give a secret of 32 bytes or more, such as from: openssl rand -base64 48';
  switch (v.AUTH_MODE) {
    case 'guest':
      if (role === 'api') throw missing('AUTH_SECRET', `for the roles apart; ${howTo}`);
      if (v.NODE_ENV === 'production') throw missing('AUTH_SECRET', `with NODE_ENV=production; ${howTo}`);
      return;
    case 'jwt':
      if (v.AUTH_JWKS_URL) return;
      throw missing(
        'AUTH_SECRET',
        'or AUTH_JWKS_URL with AUTH_MODE=jwt, to check the tokens of your application',
      );
  }
}

const missing = (variable: string, why: string) => new ConfigError(variable, `is required ${why}`);

function deepFreeze<T extends object>(value: T): Frozen<T> {
  for (const inner of Object.values(value) as unknown[]) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value) as Frozen<T>;
}
