/** The limit: a bare `ws` broadcast of one frame, encoded once, that is told of each chunk over a socket; no Redis. */
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';

const [port = 0, feedPort = 0] = process.argv.slice(2).map(Number);
const rooms = new Map<string, Set<Duplex>>();
const webSockets = new WebSocketServer({ noServer: true });

createServer()
  .on('upgrade', (request, socket, head) => {
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const name = (request.url ?? '').slice(1);
      const room = rooms.get(name) ?? new Set();
      rooms.set(name, room.add(socket));
      webSocket.send('joined');
    });
  })
  .listen(port, '127.0.0.1');

createTcpServer((feed) => {
  createInterface(feed).on('line', (line) => {
    const end = line.indexOf(' ');
    const frame = Buffer.from(`    ${line.slice(end + 1)}`, 'latin1');
    frame[0] = 0x81; // a whole text message …
    frame[1] = 126; // … of 126 bytes or more
    frame.writeUInt16BE(frame.length - 4, 2);
    for (const socket of rooms.get(line.slice(0, end)) ?? []) socket.write(frame);
  });
}).listen(feedPort, '127.0.0.1', () => process.send?.('ready'));
