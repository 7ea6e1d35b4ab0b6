import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Launches something on a free port; on another one when somebody else was quicker. */
export async function onFreePort<T>(launch: (port: number) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await launch(await freePort());
    } catch (error) {
      if (tries === 3 || !/address (already )?in use/i.test(String(error))) throw error;
    }
  }
}
