import type { Redis } from 'ioredis';
import type { Logger } from '../lib/logger.js';

export type Handler = (message: string) => void;

/** Subscriptions of one process, to one server or to a cluster. */
export type Subscriptions = Pick<Subscriber, 'subscribe' | 'unsubscribe' | 'onRestored' | 'size' | 'close'>;

interface SubscriberOptions {
  /** A connection of purpose `subscriber`, for this object alone. */
  redis: Redis;
  log: Logger;
  /** How often the connection is asked whether it lives, and how long it may take to answer. */
  pingIntervalMs?: number;
}

/**
 * Subscriptions of one process over one connection. A connection that died silently is noticed within two intervals
 * (an idle subscriber has no pending command whose time could run out), and all subscriptions are made again; what was
 * published meanwhile is lost, so `onRestored` listeners look for holes.
 */
export class Subscriber {
  readonly #redis: Redis;
  readonly #log: Logger;
  readonly #handlers = new Map<string, Handler>();
  readonly #restored = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  #pinging = false;

  constructor({ redis, log, pingIntervalMs = 2000 }: SubscriberOptions) {
    this.#redis = redis;
    this.#log = log;
    redis.on('smessage', (channel: string, message: string) => this.#handlers.get(channel)?.(message));
    redis.on('ready', () => void this.#restore());
    this.#timer = setInterval(() => void this.#ping(pingIntervalMs), pingIntervalMs);
  }

  /**
   * Resolves once everything published from now on reaches the handler; fails when Redis does not answer, the
   * subscription then being made as soon as it does.
   */
  async subscribe(channel: string, handler: Handler): Promise<void> {
    this.#handlers.set(channel, handler);
    await this.#redis.ssubscribe(channel);
  }

  unsubscribe(channel: string): void {
    this.#handlers.delete(channel);
    // Away: there is nothing to unsubscribe from, and a new connection asks for the channels that are left.
    this.#redis.sunsubscribe(channel).catch(() => undefined);
  }

  /** Called whenever a new connection has all subscriptions again. Returns how to stop it. */
  onRestored(listener: () => void): () => void {
    this.#restored.add(listener);
    return () => this.#restored.delete(listener);
  }

  /** Channels subscribed to. */
  get size(): number {
    return this.#handlers.size;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#handlers.clear();
    this.#restored.clear();
    this.#redis.disconnect();
  }

  async #restore(): Promise<void> {
    try {
      await Promise.all([...this.#handlers.keys()].map((channel) => this.#redis.ssubscribe(channel)));
    } catch (error) {
      this.#log.warn({ reason: String(error) }, 'resubscribing failed');
      this.#redis.disconnect(true);
      return;
    }
    for (const listener of this.#restored) listener();
  }

  async #ping(timeoutMs: number): Promise<void> {
    if (this.#pinging || this.#redis.status !== 'ready') return;
    this.#pinging = true;
    const timer = setTimeout(() => {
      this.#log.warn('redis subscriber is silent, reconnecting');
      this.#redis.disconnect(true);
    }, timeoutMs);
    try {
      await this.#redis.ping();
    } catch {
      // The connection is being closed; `ready` comes again.
    } finally {
      clearTimeout(timer);
      this.#pinging = false;
    }
  }
}
