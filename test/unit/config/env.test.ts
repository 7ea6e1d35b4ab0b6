import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.js';
import { parseEnv, type EnvSource, type Role } from '../../../src/config/env.js';
import { readRedisUrl } from '../../../src/redis/redis-address.js';

const secret = 'an-auth-secret-of-more-than-32-bytes';
const stores = {
  REDIS_URL: 'redis://:hunter2@127.0.0.1:6379',
  DATABASE_URL: 'postgres://u:hunter2@127.0.0.1/t',
};

const all = (source: EnvSource = {}) => parseEnv(source, { role: 'all' });

/** The error that these settings stop the start with. */
function refused(source: EnvSource, role: Role = 'all'): ConfigError {
  try {
    parseEnv(source, { role });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('defaults', () => {
  test('npm start needs no settings and has the defaults of the contract', () => {
    const env = all();
    expect(env.http).toEqual({
      port: 3000,
      host: '127.0.0.1',
      publicUrl: undefined,
      trustProxy: false,
      corsOrigins: [],
      straightFrames: true,
    });
    expect(env.stores).toEqual({
      redisUrl: undefined,
      databaseUrl: undefined,
      dataDir: '.data',
      keyPrefix: 'tokencast',
    });
    expect(env.generation).toEqual({
      defaultModel: undefined,
      defaultMaxTokens: 4096,
      timeoutMs: 300_000,
      idleTimeoutMs: 60_000,
      firstTokenTimeoutMs: undefined,
      flushIntervalMs: 0,
    });
    expect(env.cache).toEqual({ shared: false, maxBytes: 67_108_864 });
    expect(env.limits).toEqual({
      maxMessageChars: 32_000,
      maxUploadBytes: 10_485_760,
      userMessagesPerMinute: 30,
      sessionsPerHourPerIp: 60,
      maxQueuedGenerations: 10_000,
    });
    expect(env.budgets).toEqual({ userNanoPerDay: null, conversationNano: null });
    expect(env.worker).toEqual({ concurrency: 50, port: undefined, shutdownGraceMs: 10_000 });
    expect(env.auth.mode).toBe('guest');
    expect(env.providers.demo.tokensPerSecond).toBe(60);
    expect(env.logLevel).toBe('info');
    expect(env.tracing).toEqual({ endpoint: undefined, serviceName: 'tokencast', sampleRatio: 1 });
    expect(env.production).toBe(false);
  });

  test('an empty or blank variable counts as not set', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          'PORT',
          'HOST',
          'REDIS_URL',
          'AUTH_MODE',
          'AUTH_SECRET',
          'TRUST_PROXY',
          'WORKER_PORT',
        ),
        fc.stringMatching(/^[ \t\r\n]*$/),
        (name, blank) => {
          expect(all({ [name]: blank })).toEqual(all());
        },
      ),
    );
  });

  test('the settings are frozen to the bottom', () => {
    const env = all({ CORS_ORIGINS: 'https://a.example' });
    const unfrozen = (value: unknown): boolean =>
      typeof value === 'object' &&
      value !== null &&
      (!Object.isFrozen(value) || Object.values(value).some(unfrozen));
    expect(unfrozen(env)).toBe(false);
  });
});

describe('numbers', () => {
  const numbers: [name: string, min: number, max: number, read: (env: ReturnType<typeof all>) => unknown][] =
    [
      ['PORT', 0, 65_535, (env) => env.http.port],
      ['WORKER_PORT', 0, 65_535, (env) => env.worker.port],
      ['WORKER_CONCURRENCY', 1, 10_000, (env) => env.worker.concurrency],
      ['FLUSH_INTERVAL_MS', 0, 60_000, (env) => env.generation.flushIntervalMs],
      ['FIRST_TOKEN_TIMEOUT_MS', 1, 86_400_000, (env) => env.generation.firstTokenTimeoutMs],
      ['CACHE_MAX_BYTES', 0, 1_000_000_000, (env) => env.cache.maxBytes],
      ['IDLE_TIMEOUT_MS', 1, 86_400_000, (env) => env.generation.idleTimeoutMs],
      ['DEMO_TOKENS_PER_SECOND', 0, 1_000_000, (env) => env.providers.demo.tokensPerSecond],
    ];

  test.each(numbers)('%s takes every whole number from %i to %i', (name, min, max, read) => {
    fc.assert(
      fc.property(fc.integer({ min, max }), (value) => {
        expect(read(all({ [name]: String(value) }))).toBe(value);
      }),
    );
  });

  test.each(numbers)('%s refuses numbers below %i or above %i', (name, min, max) => {
    const outside = fc.oneof(fc.integer({ max: min - 1 }), fc.integer({ min: max + 1 }));
    fc.assert(
      fc.property(outside, (value) => {
        expect(refused({ [name]: String(value) }).message).toMatch(
          new RegExp(`^${name} must be a whole number from ${min} to ${max}`),
        );
      }),
    );
  });

  test('what is not a whole number in decimal is refused and shown on one line', () => {
    fc.assert(
      fc.property(
        fc.string().filter((value) => value.trim() !== '' && !/^\d+$/.test(value.trim())),
        (value) => {
          const { variable, message } = refused({ PORT: value });
          expect(variable).toBe('PORT');
          expect(message).not.toContain('\n');
        },
      ),
    );
  });
});

describe('amounts of money', () => {
  test.each([
    ['5', 5_000_000_000],
    ['0', 0],
    ['2.50', 2_500_000_000],
    ['0.000000001', 1],
    ['1000000', 1e15],
  ])('USER_BUDGET_USD_PER_DAY=%s is taken to the nano-dollar', (value, nano) => {
    expect(all({ USER_BUDGET_USD_PER_DAY: value }).budgets.userNanoPerDay).toBe(nano);
  });

  test.each(['-1', '$5', '1,50', '1e3', '.5', '5.', '1000001', '0.0000000001', 'none'])(
    'CONVERSATION_BUDGET_USD=%s is refused with what is allowed',
    (value) => {
      expect(refused({ CONVERSATION_BUDGET_USD: value }).message).toBe(
        `CONVERSATION_BUDGET_USD must be an amount of US dollars from 0 to 1000000, such as 2.50 (it is "${value}")`,
      );
    },
  );
});

describe('other kinds', () => {
  test.each([
    ['true', true],
    ['false', false],
    ['2', 2],
    ['loopback, 10.0.0.0/8', ['loopback', '10.0.0.0/8']],
    ['fd00::/8,127.0.0.1', ['fd00::/8', '127.0.0.1']],
  ])('TRUST_PROXY=%s is what Express takes', (value, expected) => {
    expect(all({ TRUST_PROXY: value }).http.trustProxy).toEqual(expected);
  });

  test.each([
    ['TRUST_PROXY', 'yes'],
    ['CORS_ORIGINS', 'https://app.example.com/path'],
    ['CORS_ORIGINS', 'app.example.com'],
    ['PUBLIC_URL', 'ftp://example.com'],
    ['AUTH_MODE', 'none'],
    ['LOG_LEVEL', 'loud'],
    ['REDIS_URL', 'localhost:6379'],
    ['REDIS_URL', 'redis-cluster://'],
    ['REDIS_URL', 'redis-cluster://a:1,/'],
    ['REDIS_URL', 'redis-sentinel://a:1,b:2'],
    ['REDIS_TLS_CA', '/etc/ssl/ca.pem'],
    ['DATABASE_URL', 'mysql://localhost/x'],
  ])('%s=%s is refused', (name, value) => {
    expect(refused({ [name]: value }).message).toMatch(new RegExp(`^${name} must be `));
  });

  test.each([
    'redis://127.0.0.1:6379',
    'rediss://:p@redis.example:6380/1',
    'redis-cluster://a:1,b:2,[::1]:3',
    'rediss-cluster://user:p%40ss@a.example',
    'redis-sentinel://a:1,b/name?db=1',
    'rediss-sentinel://:p@a:1/name',
  ])('REDIS_URL=%s is taken', (url) => {
    expect(all({ REDIS_URL: url }).stores.redisUrl).toBe(url);
    expect(() => readRedisUrl(url)).not.toThrow();
  });

  test('a certificate of our own needs its key', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nx';
    expect(refused({ REDIS_TLS_CERT: pem }).message).toMatch(/^REDIS_TLS_KEY is required/);
    expect(refused({ REDIS_TLS_KEY: pem }).message).toMatch(/^REDIS_TLS_CERT is required/);
    expect(all({ REDIS_TLS_CA: pem }).redisTls).toEqual({ ca: pem });
  });

  test('origins may be listed, or all', () => {
    expect(all({ CORS_ORIGINS: 'https://a.example, http://localhost:5173' }).http.corsOrigins).toEqual([
      'https://a.example',
      'http://localhost:5173',
    ]);
    expect(all({ CORS_ORIGINS: '*' }).http.corsOrigins).toBe('*');
  });

  test('hosts that may be fetched are listed, with their ports or for their subdomains', () => {
    expect(all().tools).toEqual({ fetchUrlAllow: [], mcpServers: [] });
    expect(all({ FETCH_URL_ALLOW: 'example.com, *.example.org:8080,*' }).tools.fetchUrlAllow).toEqual([
      'example.com',
      '*.example.org:8080',
      '*',
    ]);
    for (const wrong of ['https://example.com', 'example.com/path', '*.', 'a b', 'user@host', '*.*.com'])
      expect(refused({ FETCH_URL_ALLOW: wrong }).message).toMatch(/^FETCH_URL_ALLOW must be hosts/);
  });

  test('a wrong value is named with what it is and what is allowed', () => {
    expect(refused({ AUTH_MODE: 'none' }).message).toBe('AUTH_MODE must be one of guest, jwt (it is "none")');
  });
});

describe('secrets', () => {
  let dir = '';
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'tokencast-env-'));
  });
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });
  const file = (content: string): string => {
    const path = join(dir, String(Math.random()));
    writeFileSync(path, content);
    return path;
  };

  test('an AUTH_SECRET is taken by its bytes, and a short one refused without being shown', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 48 }), (given) => {
        const value = given.trim();
        fc.pre(value !== '');
        if (Buffer.byteLength(value) >= 32) {
          expect(all({ AUTH_SECRET: given }).auth.secret).toBe(value);
        } else {
          expect(refused({ AUTH_SECRET: given }).message).toBe(refused({ AUTH_SECRET: 'short' }).message);
        }
      }),
    );
  });

  test.each(['REDIS_URL', 'DATABASE_URL', 'ANTHROPIC_BASE_URL'])('a wrong %s is not shown', (name) => {
    expect(refused({ [name]: 'hunter2@localhost' }).message).not.toContain('hunter2');
  });

  test.each([
    ['ANTHROPIC_API_KEY', (env: ReturnType<typeof all>) => env.providers.anthropic.apiKey],
    ['MISTRAL_API_KEY', (env: ReturnType<typeof all>) => env.providers.mistral.apiKey],
    ['OPENAI_API_KEY', (env: ReturnType<typeof all>) => env.providers.openai.apiKey],
    ['AUTH_SECRET', (env: ReturnType<typeof all>) => env.auth.secret],
    ['ADMIN_TOKEN', (env: ReturnType<typeof all>) => env.admin.token],
  ] as const)('%s may be given as a file', (name, read) => {
    expect(read(all({ [`${name}_FILE`]: file(`${secret}\n`) }))).toBe(secret);
  });

  test('REDIS_URL and DATABASE_URL may be given as files', () => {
    const env = all({
      REDIS_URL_FILE: file(`${stores.REDIS_URL}\n`),
      DATABASE_URL_FILE: file(stores.DATABASE_URL),
    });
    expect(env.stores).toMatchObject({ redisUrl: stores.REDIS_URL, databaseUrl: stores.DATABASE_URL });
  });

  test('a file that is missing, empty, or given beside the variable is refused by name', () => {
    expect(refused({ AUTH_SECRET_FILE: '/no/such/file' }).message).toBe(
      'AUTH_SECRET_FILE names /no/such/file, which cannot be read (ENOENT)',
    );
    expect(refused({ AUTH_SECRET_FILE: file('\n') }).message).toContain('which is empty');
    expect(refused({ AUTH_SECRET: secret, AUTH_SECRET_FILE: file(secret) }).variable).toBe(
      'AUTH_SECRET_FILE',
    );
  });
});

describe('traces', () => {
  test('go where the endpoint says, without a slash at its end', () => {
    const { tracing } = all({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318/',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    });
    expect(tracing).toEqual({
      endpoint: 'http://localhost:4318',
      serviceName: 'tokencast',
      sampleRatio: 0.25,
    });
  });

  test.each(['-1', '1.5', '2', '.5', '10%', 'all'])('a share of %s is refused', (value) => {
    expect(refused({ OTEL_TRACES_SAMPLER_ARG: value }).message).toBe(
      `OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, such as 0.1 (it is "${value}")`,
    );
  });
});

describe('what is required', () => {
  test.each(['api', 'worker'] as const)('%s needs the stores', (role) => {
    expect(refused({ AUTH_SECRET: secret, DATABASE_URL: stores.DATABASE_URL }, role).variable).toBe(
      'REDIS_URL',
    );
    expect(refused({ AUTH_SECRET: secret, REDIS_URL: stores.REDIS_URL }, role).variable).toBe('DATABASE_URL');
  });

  test('the api needs an AUTH_SECRET, the worker does not use one', () => {
    expect(refused(stores, 'api').message).toMatch(/^AUTH_SECRET is required for the roles apart/);
    expect(parseEnv({ ...stores, AUTH_SECRET: secret }, { role: 'api' }).auth.secret).toBe(secret);
    expect(parseEnv(stores, { role: 'worker' }).auth.secret).toBeUndefined();
  });

  test('production needs an AUTH_SECRET in guest mode', () => {
    expect(refused({ NODE_ENV: 'production' }).message).toMatch(
      /^AUTH_SECRET is required with NODE_ENV=production/,
    );
    expect(all({ NODE_ENV: 'production', AUTH_SECRET: secret }).production).toBe(true);
  });

  test('jwt mode needs a secret or a key set', () => {
    expect(refused({ AUTH_MODE: 'jwt' }).variable).toBe('AUTH_SECRET');
    expect(all({ AUTH_MODE: 'jwt', AUTH_SECRET: secret }).auth.mode).toBe('jwt');
    const jwksUrl = 'https://id.example/jwks.json';
    const env = parseEnv({ ...stores, AUTH_MODE: 'jwt', AUTH_JWKS_URL: jwksUrl }, { role: 'api' });
    expect(env.auth).toMatchObject({ jwksUrl, secret: undefined });
  });
});
