import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** How a server without a Redis of its own is told of chunks: a line for each, with a room and what its clients get. */
export interface Feed {
  /** Resolves when it is written. */
  write: (room: string, text: string) => Promise<void>;
  close: () => void;
}

export async function openFeed(port: number): Promise<Feed> {
  const socket = createConnection({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return {
    write: (room, text) =>
      new Promise((resolve) => {
        socket.write(`${room} ${text}\n`, () => {
          resolve();
        });
      }),
    close: () => {
      socket.destroy();
    },
  };
}

/** Takes a feed. */
export async function takeFeed(port: number, take: (room: string, text: string) => void): Promise<void> {
  const server = createServer((socket) => {
    createInterface(socket).on('line', (line) => {
      const end = line.indexOf(' ');
      take(line.slice(0, end), line.slice(end + 1));
    });
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
}
