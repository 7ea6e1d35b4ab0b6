import { Cluster, Command } from 'ioredis';
import type { Logger } from '../lib/logger.js';
import { connectNode, whenReady, type RedisClient } from './connect.js';
import { Subscriber, type Handler, type Subscriptions } from './subscriber.js';

interface ClusterSubscriberOptions {
  /** A connection of purpose `subscriber`, for this object alone: it tells which node has which slots. */
  cluster: Cluster;
  log: Logger;
  pingIntervalMs?: number;
}

interface Place {
  handler: Handler;
  /** `host:port`; undefined: no node had the channel's slot. */
  node: string | undefined;
}

const connectMs = 2000;

/**
 * Subscriptions of one process on a cluster: a {@link Subscriber} for each node that has channels, so that every
 * connection is watched, and known to have its subscriptions again, as on one server. ioredis has subscribers of its own
 * for this; it neither asks whether they live nor tells when they are back.
 *
 * When slots move to another node, by a failover or by hand, their channels follow within a second, and `onRestored`
 * listeners look for holes.
 */
class ClusterSubscriber implements Subscriptions {
  readonly #cluster: Cluster;
  readonly #log: Logger;
  readonly #pingIntervalMs: number | undefined;
  readonly #nodes = new Map<string, { subscriber: Subscriber; ready: Promise<void> }>();
  readonly #places = new Map<string, Place>();
  readonly #restored = new Set<() => void>();

  constructor({ cluster, log, pingIntervalMs }: ClusterSubscriberOptions) {
    this.#cluster = cluster;
    this.#log = log;
    this.#pingIntervalMs = pingIntervalMs;
    cluster.on('refresh', () => void this.#follow());
  }

  async subscribe(channel: string, handler: Handler): Promise<void> {
    const place: Place = { handler, node: this.#nodeOf(channel) };
    this.#places.set(channel, place);
    try {
      await this.#subscribeAt(channel, place);
    } catch (error) {
      const node = movedTo(error);
      if (node === undefined) throw error;
      await this.#move(channel, place, node);
    }
  }

  unsubscribe(channel: string): void {
    const place = this.#places.get(channel);
    this.#places.delete(channel);
    if (place?.node !== undefined) this.#nodes.get(place.node)?.subscriber.unsubscribe(channel);
  }

  onRestored(listener: () => void): () => void {
    this.#restored.add(listener);
    return () => this.#restored.delete(listener);
  }

  get size(): number {
    return this.#places.size;
  }

  close(): void {
    for (const { subscriber } of this.#nodes.values()) subscriber.close();
    this.#nodes.clear();
    this.#places.clear();
    this.#restored.clear();
    this.#cluster.disconnect();
  }

  async #subscribeAt(channel: string, place: Place): Promise<void> {
    if (place.node === undefined) throw new Error('CLUSTERDOWN no node has the slot of the channel');
    const { subscriber, ready } = this.#node(place.node);
    await ready;
    // Given up meanwhile, or followed its slot to another node.
    if (this.#places.get(channel) !== place) return;
    await subscriber.subscribe(channel, place.handler);
  }

  /** Fails as `subscribe` does; the subscription is then made as soon as the node answers. */
  async #move(channel: string, { handler, node: old }: Place, node: string): Promise<void> {
    const place: Place = { handler, node };
    this.#places.set(channel, place);
    if (old !== undefined) this.#nodes.get(old)?.subscriber.unsubscribe(channel);
    await this.#subscribeAt(channel, place);
  }

  /** Brings channels to the nodes that have their slots now. */
  async #follow(): Promise<void> {
    const moves: Promise<void>[] = [];
    for (const [channel, place] of [...this.#places]) {
      const node = this.#nodeOf(channel);
      if (node !== undefined && node !== place.node) moves.push(this.#move(channel, place, node));
    }
    const masters = new Set(this.#cluster.slots.map((keys) => keys[0]));
    for (const [node, { subscriber }] of this.#nodes) {
      if (masters.has(node) || subscriber.size > 0) continue;
      subscriber.close();
      this.#nodes.delete(node);
    }
    if (moves.length === 0) return;
    const failed = (await Promise.allSettled(moves)).filter(({ status }) => status === 'rejected').length;
    this.#log.info({ moved: moves.length, failed }, 'redis subscriptions followed their slots');
    this.#tellRestored();
  }

  #node(node: string): { subscriber: Subscriber; ready: Promise<void> } {
    const known = this.#nodes.get(node);
    if (known) return known;
    const redis = connectNode(this.#cluster, node, this.#log);
    const subscriber = new Subscriber({
      redis,
      log: this.#log,
      ...(this.#pingIntervalMs !== undefined && { pingIntervalMs: this.#pingIntervalMs }),
    });
    subscriber.onRestored(() => {
      this.#tellRestored();
    });
    // One that is not ready by then fails its subscriptions itself.
    const added = { subscriber, ready: whenReady(redis, connectMs).catch(() => undefined) };
    this.#nodes.set(node, added);
    return added;
  }

  #nodeOf(channel: string): string | undefined {
    return this.#cluster.slots[new Command('ssubscribe', [channel]).getSlot()]?.[0];
  }

  #tellRestored(): void {
    for (const listener of this.#restored) listener();
  }
}

/** Subscriptions over a connection of purpose `subscriber`, which is for them alone. */
export const openSubscriber = (redis: RedisClient, log: Logger): Subscriptions =>
  redis instanceof Cluster ? new ClusterSubscriber({ cluster: redis, log }) : new Subscriber({ redis, log });

/** The node that a refusal names: the slot has moved there. */
const movedTo = (error: unknown): string | undefined =>
  error instanceof Error ? /^MOVED \d+ (\S+:\d+)$/.exec(error.message)?.[1] : undefined;
