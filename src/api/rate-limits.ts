import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../domain/errors.js';
import type { RedisClient } from '../redis/connect.js';

/** How often somebody may do something. Both throw `rate_limited`, with the seconds until it is possible again. */
export interface RateLimits {
  message(userId: string): Promise<void>;
  session(ip: string): Promise<void>;
}

interface RateLimitsOptions {
  redis: RedisClient;
  /** Prefix of the keys in Redis. */
  keyPrefix: string;
  userMessagesPerMinute: number;
  sessionsPerHourPerIp: number;
}

/** Counted in Redis over all processes; without Redis each process counts by itself. */
export function createRateLimits(options: RateLimitsOptions): RateLimits {
  const { redis, keyPrefix, userMessagesPerMinute, sessionsPerHourPerIp } = options;
  const limiter = (name: string, points: number, duration: number) =>
    new RateLimiterRedis({
      storeClient: redis,
      keyPrefix: `${keyPrefix}:${name}`,
      points,
      duration,
      rejectIfRedisNotReady: true,
      insuranceLimiter: new RateLimiterMemory({ points, duration }),
    });
  const messages = limiter('messages', userMessagesPerMinute, 60);
  const sessions = limiter('sessions', sessionsPerHourPerIp, 3600);

  async function consume(limit: RateLimiterRedis, key: string, message: string): Promise<void> {
    try {
      await limit.consume(key);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const retryAfterSeconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
      throw new AppError('rate_limited', message, { retryAfterSeconds });
    }
  }

  return {
    message: (userId) =>
      consume(messages, userId, `At most ${userMessagesPerMinute} messages a minute are accepted.`),
    session: (ip) => consume(sessions, ip, `At most ${sessionsPerHourPerIp} sessions an hour are given out.`),
  };
}
