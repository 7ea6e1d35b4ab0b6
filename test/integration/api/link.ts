import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A connection to a server that can fall silent: nothing is closed, nothing comes through, until it goes on. */
export class Link {
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #silent = false;

  private constructor(private readonly server: Server) {}

  /** To a port of this machine. */
  static async to(port: number): Promise<Link> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const link = new Link(server);
    server.on('connection', (near) => {
      link.#join(near, connect(port, '127.0.0.1'));
    });
    return link;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  fallSilent(): void {
    this.#silent = true;
    for (const [near, far] of this.#pairs) {
      near.unpipe(far);
      far.unpipe(near);
    }
  }

  goOn(): void {
    this.#silent = false;
    for (const pair of this.#pairs) pipe(pair);
  }

  close(): void {
    this.server.close();
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  #join(near: Socket, far: Socket): void {
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [socket, other] of [pair, [far, near] as const]) {
      socket.on('error', () => undefined); // 'close' follows
      socket.on('close', () => {
        other.destroy();
        this.#pairs.delete(pair);
      });
    }
    if (!this.#silent) pipe(pair);
  }
}

function pipe([near, far]: readonly [Socket, Socket]): void {
  near.pipe(far);
  far.pipe(near);
}
