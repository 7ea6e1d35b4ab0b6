import { createServer } from 'node:net';

/** Below what kernels give to connections and to whoever listens on port 0 (Linux from 32768, others from 49152). */
const first = 10_000;
const slices = 200;
const sliceSize = 100;

let next = 0;

/**
 * A loopback port for a process that this one is about to start. Unlike one that the kernel has just given and taken back,
 * nobody else gets it meanwhile: it lies where the kernel gives none, in a slice of this process's own.
 */
export async function ownPort(): Promise<number> {
  for (let tries = 0; tries < sliceSize; tries++) {
    const port = first + (process.pid % slices) * sliceSize + (next++ % sliceSize);
    if (await isFree(port)) return port;
  }
  throw new Error('no port is free');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once('error', () => {
        resolve(false);
      })
      .listen(port, '127.0.0.1', () => {
        server.close(() => {
          resolve(true);
        });
      });
  });
}
