import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Front {
  url: string;
  /** Lets the connections of now die without a word: nothing comes through them, and nobody closes them. */
  silence(): void;
}

/** What stands in front of several servers: each connection goes to the next one that takes it. */
export async function openFront(targets: readonly { url: string }[]): Promise<Front> {
  let turn = 0;
  const sockets = new Set<Socket>();
  const pairs = new Map<Socket, Socket>();
  const pass = (client: Socket, triesLeft: number) => {
    const target = targets[turn++ % targets.length];
    if (!target || triesLeft === 0) {
      client.destroy();
      return;
    }
    const { hostname, port } = new URL(target.url);
    const server = connect(Number(port), hostname);
    let connected = false;
    sockets.add(server);
    server.on('error', () => undefined); // 'close' follows
    server.once('connect', () => {
      connected = true;
      pairs.set(client, server);
      client.pipe(server).pipe(client);
    });
    server.once('close', () => {
      sockets.delete(server);
      if (connected || client.destroyed) client.destroy();
      else pass(client, triesLeft - 1);
    });
    client.once('close', () => {
      pairs.delete(client);
      server.destroy();
    });
  };
  const front = createServer((client) => {
    sockets.add(client);
    client.on('error', () => undefined);
    client.once('close', () => sockets.delete(client));
    pass(client, targets.length);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  onTestFinished(() => {
    front.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    url: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    silence: () => {
      for (const [client, server] of pairs) {
        client.unpipe(server);
        server.unpipe(client);
      }
    },
  };
}
