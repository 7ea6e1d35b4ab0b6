import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How bad the way is, in both directions; may be changed at any time. */
export interface Conditions {
  /** Every piece comes so much later, plus up to the jitter. */
  latencyMs: number;
  jitterMs: number;
  /** Of each connection and direction; 0: nothing comes through, and nobody is told. */
  bytesPerSecond: number;
}

const good: Conditions = { latencyMs: 0, jitterMs: 0, bytesPerSecond: Infinity };

/** A bad way to a server, for clients: it keeps all bytes and their order, and no promise about time. */
export interface RoughProxy {
  readonly url: string;
  /** Where new connections go to. */
  target: string;
  readonly connections: number;
  set(conditions: Partial<Conditions>): void;
  /** Breaks all connections of now, as a router does that has forgotten them. */
  reset(): void;
  close(): Promise<void>;
}

export async function openRoughProxy(
  target: string,
  { random = Math.random }: { random?: () => number } = {},
): Promise<RoughProxy> {
  const conditions = { ...good };
  const pairs = new Set<[Socket, Socket]>();
  let changed = new AbortController();

  /** Waits as the conditions want it for so many bytes; a change of the conditions is felt at once. */
  const delay = async (bytes: number) => {
    const { latencyMs, jitterMs } = conditions;
    if (latencyMs + jitterMs > 0) await sleep(latencyMs + random() * jitterMs);
    while (conditions.bytesPerSecond !== Infinity) {
      const { bytesPerSecond } = conditions;
      const ms = bytesPerSecond > 0 ? (bytes * 1000) / bytesPerSecond : 3_600_000;
      const passed = sleep(ms, true, { signal: changed.signal }).catch(() => false);
      if (await passed) return;
    }
  };
  const pump = async (from: Socket, to: Socket) => {
    for await (const piece of from as AsyncIterable<Buffer>) {
      await delay(piece.length);
      if (to.destroyed) break;
      if (!to.write(piece)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
    }
    to.end();
  };

  const server = createServer((client) => {
    const { hostname, port } = new URL(proxy.target);
    const upstream = connect(Number(port), hostname);
    const pair: [Socket, Socket] = [client, upstream];
    pairs.add(pair);
    for (const [socket, other] of [pair, pair.toReversed() as [Socket, Socket]]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined); // 'close' follows
      socket.once('close', () => {
        if (other.closed) pairs.delete(pair);
      });
      // What was sent before an orderly end still comes; a break is passed on at once.
      pump(socket, other).catch(() => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: RoughProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    target,
    get connections() {
      return pairs.size;
    },
    set: (change) => {
      Object.assign(conditions, change);
      changed.abort();
      changed = new AbortController();
    },
    reset: () => {
      for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      proxy.reset();
      proxy.set(good);
      await closed;
    },
  };
  return proxy;
}
