import { connect, createServer, type AddressInfo } from 'node:net';

/** Stands before Postgres and counts how often somebody waits for an answer of it; a store's own looks are not counted. */
export interface PostgresProxy {
  url: string;
  /** Round trips so far. */
  readonly roundTrips: number;
  close: () => void;
}

const typeLength = 1;
const startLength = 4;
/** Messages behind which a client waits (https://www.postgresql.org/docs/current/protocol-message-formats.html). */
const waits = new Set(['Q', 'S']);
/** What a store asks, every few seconds, to know whether Postgres lives: a query of its own connection. */
const heartbeat = 'select 1\0';

export async function openPostgresProxy(databaseUrl: string): Promise<PostgresProxy> {
  const target = new URL(databaseUrl);
  let roundTrips = 0;
  const server = createServer((client) => {
    const postgres = connect(Number(target.port), target.hostname);
    client.setNoDelay(true).pipe(postgres.setNoDelay(true)).pipe(client);
    for (const socket of [client, postgres])
      socket.on('error', () => {
        client.destroy();
        postgres.destroy();
      });
    let rest = Buffer.alloc(0);
    let started = false;
    // What is sent together, before anything has come back, is waited for once.
    let waiting = false;
    postgres.on('data', () => {
      waiting = false;
    });
    client.on('data', (data) => {
      rest = rest.length > 0 ? Buffer.concat([rest, data]) : data;
      for (;;) {
        const head = started ? typeLength : 0;
        if (rest.length < head + startLength) return;
        const length = head + rest.readUInt32BE(head);
        if (rest.length < length) return;
        const isHeartbeat = rest.toString('latin1', head + startLength, length) === heartbeat;
        if (started && !waiting && waits.has(rest.toString('latin1', 0, 1)) && !isHeartbeat) {
          roundTrips += 1;
          waiting = true;
        }
        started = true;
        rest = rest.subarray(length);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    get roundTrips() {
      return roundTrips;
    },
    close: () => {
      server.close();
    },
  };
}
