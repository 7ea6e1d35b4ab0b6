/** The limit: a bare `ws` broadcast of one frame, encoded once, that is told of each chunk over a socket; no Redis. */
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { takeFeed } from '../feed.js';
import { tellReady } from '../ready.js';

const [port = 0, feedPort = 0] = process.argv.slice(2).map(Number);
const rooms = new Map<string, Set<Duplex>>();
const webSockets = new WebSocketServer({ noServer: true });

await takeFeed(feedPort, (room, text) => {
  const frame = Buffer.from(`    ${text}`, 'latin1');
  frame[0] = 0x81; // a whole text message …
  frame[1] = 126; // … of 126 bytes or more
  frame.writeUInt16BE(frame.length - 4, 2);
  for (const socket of rooms.get(room) ?? []) socket.write(frame);
});

createServer()
  .on('upgrade', (request, socket, head) => {
    webSockets.handleUpgrade(request, socket, head, () => {
      const name = (request.url ?? '').slice(1);
      const room = rooms.get(name) ?? new Set();
      rooms.set(name, room.add(socket));
    });
  })
  .listen(port, '127.0.0.1', tellReady);
