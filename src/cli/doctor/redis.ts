import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { findRedis } from '../../embedded/redis.js';
import { createLogger } from '../../lib/logger.js';
import { connectRedis, nodesOf, whenReady, type RedisClient, type RedisTls } from '../../redis/connect.js';
import { broken, hint, ok, type Finding } from './finding.js';
import { reasonOf } from './reason-of.js';

const oldestMajor = 7;
const timeoutMs = 5000;
/** Of a Redis on the way to every piece of text. */
const slowMs = 20;

/** Looks at the Redis of `REDIS_URL`, each master of a cluster; undefined: the embedded one. Changes nothing. */
export async function checkRedis(url: string | undefined, tls: RedisTls): Promise<Finding[]> {
  if (url === undefined) return [await embedded()];
  const redis = connectRedis(url, 'commands', createLogger({ level: 'silent', role: 'doctor' }), tls);
  try {
    await firstAnswer(redis);
    const nodes = nodesOf(redis);
    const found = await Promise.all(nodes.map(async (node) => ({ node, findings: await checkNode(node) })));
    return found.flatMap(({ node: { options }, findings }) =>
      nodes.length === 1
        ? findings
        : findings.map((each) => ({ ...each, what: `${options.host}:${options.port}: ${each.what}` })),
    );
  } catch (error) {
    return [
      broken(
        `Redis cannot be used: ${reasonOf(error)}`,
        'Check REDIS_URL (password, host, port, rediss:// for TLS), that Redis runs and has read its file, and that this machine may reach it.',
      ),
    ];
  } finally {
    redis.disconnect();
  }
}

/** Resolves when it takes commands. @throws the first reason why it does not */
async function firstAnswer(redis: RedisClient): Promise<void> {
  const refused = once(redis, 'error').then(([error]: unknown[]) => {
    throw error;
  });
  await Promise.race([whenReady(redis, timeoutMs), refused]);
}

async function checkNode(node: Redis): Promise<Finding[]> {
  const info = parseInfo(await node.info());
  return findings(info, await pingMs(node));
}

/** The fastest of a few: one that is slow now and then is not far away. */
async function pingMs(redis: Redis): Promise<number> {
  let fastest = Infinity;
  for (let tries = 0; tries < 5; tries += 1) {
    const from = performance.now();
    await redis.ping();
    fastest = Math.min(fastest, performance.now() - from);
  }
  return fastest;
}

async function embedded(): Promise<Finding> {
  const kind = await findRedis();
  const why = 'since REDIS_URL is not set';
  return kind === 'js-redis-server'
    ? hint(
        `Redis: none on this machine, so npm start runs one in memory, ${why}`,
        'It is slow, for trying out: install redis-server 7 or later, or set REDIS_URL.',
      )
    : ok(`Redis: embedded (${kind}), ${why}`);
}

type Info = ReadonlyMap<string, string>;

/** The lines `name:value` of INFO. */
const parseInfo = (text: string): Info =>
  new Map([...text.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name = '', value = '']) => [name, value]));

function findings(info: Info, tookMs: number): Finding[] {
  const version = info.get('valkey_version') ?? info.get('redis_version') ?? '';
  const name = info.has('valkey_version') ? 'Valkey' : 'Redis';
  const found: Finding[] = [
    Number.parseInt(version, 10) < oldestMajor
      ? broken(
          `${name} ${version} is too old`,
          'Upgrade it to version 7 or later: rooms need sharded pub/sub.',
        )
      : ok(`${name} ${version} answers in ${tookMs.toFixed(1)} ms`),
  ];
  if (info.get('role') === 'slave')
    found.push(broken('Redis is a replica, which takes no writes', 'Point REDIS_URL at the primary.'));
  const policy = info.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction')
    found.push(
      broken(
        `Redis may throw keys away: maxmemory-policy is ${policy}`,
        'Queued answers would be lost: redis-cli config set maxmemory-policy noeviction, and put the same into redis.conf.',
      ),
    );
  found.push(...memory(info), ...persistence(info));
  if (tookMs > slowMs)
    found.push(
      hint(
        `Redis takes ${tookMs.toFixed(0)} ms to answer`,
        'Every piece of text goes through it: run it near the apis and workers.',
      ),
    );
  return found;
}

function memory(info: Info): Finding[] {
  const used = Number(info.get('used_memory'));
  const limit = Number(info.get('maxmemory'));
  if (!(limit > 0)) return [];
  const percent = Math.round((used / limit) * 100);
  if (percent < 80) return [ok(`Redis uses ${percent} % of its memory`)];
  const advice = 'Raise maxmemory, or lower CACHE_MAX_BYTES. A full Redis refuses writes, and answers stop.';
  return [(percent < 100 ? hint : broken)(`Redis uses ${percent} % of its memory`, advice)];
}

function persistence(info: Info): Finding[] {
  if (info.get('aof_enabled') !== '1')
    return [
      hint(
        'Redis has no append-only file',
        'Nothing accepted is lost without, but after its restart all that runs is begun anew: appendonly yes.',
      ),
    ];
  if (info.get('aof_last_write_status') === 'err')
    return [broken('Redis cannot write its append-only file', 'Look for a full disk, and at its log.')];
  return [ok('Redis keeps an append-only file')];
}
