import { describe, expect, test } from 'vitest';
import { readRedisUrl } from '../../../src/redis/redis-address.js';

const none = { username: undefined, password: undefined, tls: false };

describe('the address of Redis', () => {
  test('of one server is left to ioredis', () => {
    const url = 'rediss://:secret@redis.example:6380/2';
    expect(readRedisUrl(url)).toEqual({ kind: 'server', url });
  });

  test('of a cluster names its nodes', () => {
    expect(readRedisUrl('redis-cluster://10.0.0.1:7000,node-2.example,[::1]:7002/')).toEqual({
      kind: 'cluster',
      servers: [
        { host: '10.0.0.1', port: 7000 },
        { host: 'node-2.example', port: 6379 },
        { host: '::1', port: 7002 },
      ],
      ...none,
    });
    expect(readRedisUrl('rediss-cluster://us%40er:pass%2Fword@a:1')).toMatchObject({
      username: 'us@er',
      password: 'pass/word',
      tls: true,
    });
  });

  test('of Sentinels names them and their master', () => {
    expect(readRedisUrl('redis-sentinel://a,b:26380/the-master')).toEqual({
      kind: 'sentinel',
      servers: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 26_380 },
      ],
      name: 'the-master',
      db: undefined,
      sentinelPassword: undefined,
      ...none,
    });
    expect(readRedisUrl('rediss-sentinel://:p@a/m?db=3&sentinelPassword=s%26')).toMatchObject({
      password: 'p',
      db: 3,
      sentinelPassword: 's&',
      tls: true,
    });
  });

  test.each([
    'redis.example:6379',
    'redis-cluster://',
    'redis-cluster://a:70000',
    'redis-cluster://a,,b',
    'redis-cluster://a/3',
    'redis-sentinel://a:1',
    'redis-sentinel://a:1/m?db=x',
  ])('%s is refused', (url) => {
    expect(() => readRedisUrl(url)).toThrow();
  });
});
