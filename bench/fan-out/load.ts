/**
 * The clients of a comparison, in a process of their own: WebSockets that are read with as little work as can be, so that
 * the servers are what is measured.
 */
import { randomBytes } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';
import { nowUs, readChunks, type Door, type FromLoad, type ToLoad } from './work.js';

const sampleEvery = 20;

interface Client {
  next: number;
}

const clients: Client[] = [];
let delivered = 0;
let disordered = 0;
let latencyUs: number[] = [];
let beganAt = { cpu: process.cpuUsage(), us: nowUs() };

const tell = (message: FromLoad) => process.send?.(message);

process.on('message', (message: ToLoad) => {
  switch (message.do) {
    case 'connect':
      void connectAll(message.doors);
      break;
    case 'measure':
      [delivered, disordered, latencyUs] = [0, 0, []];
      beganAt = { cpu: process.cpuUsage(), us: nowUs() };
      break;
    case 'report': {
      const { user, system } = process.cpuUsage(beganAt.cpu);
      const cpuShare = (user + system) / (nowUs() - beganAt.us);
      tell({ is: 'report', delivered, disordered, latencyUs, cpuShare });
      break;
    }
  }
});
process.once('disconnect', () => process.exit());

async function connectAll(doors: readonly Door[]): Promise<void> {
  // A few at a time, as a server's backlog is short.
  for (let at = 0; at < doors.length; at += 20) await Promise.all(doors.slice(at, at + 20).map(connect));
  let told = 0;
  setInterval(() => {
    const n = Math.min(...clients.map(({ next }) => next));
    if (n !== told) tell({ is: 'at', n: (told = n) });
  }, 3);
  tell({ is: 'connected' });
}

function connect({ port, path, says, isIn }: Door): Promise<void> {
  return new Promise((resolve, reject) => {
    const client: Client = { next: 0 };
    const socket = createConnection({ port, host: '127.0.0.1', noDelay: true });
    const toSay = [...says];
    socket.once('error', reject);
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
    let isMember = false;
    readMessages(socket, (message) => {
      // A heartbeat of Engine.IO.
      if (message.length === 1 && message[0] === 0x32) {
        say(socket, '3');
        return;
      }
      if (!isMember) {
        const next = toSay.shift();
        if (next !== undefined) say(socket, next);
        isMember = message.includes(isIn);
        if (isMember) {
          clients.push(client);
          resolve();
        }
      }
      readChunks(message, (n, writtenAtUs) => {
        if (n !== client.next) disordered += 1;
        client.next = n + 1;
        delivered += 1;
        if (delivered % sampleEvery === 0) latencyUs.push(nowUs() - writtenAtUs);
      });
    });
  });
}

/** A text message from a client: one masked frame, the mask being zero. */
function say(socket: Socket, text: string): void {
  const body = Buffer.from(text);
  const head = Buffer.alloc(body.length < 126 ? 6 : 8);
  head[0] = 0x81;
  head[1] = 0x80 | (body.length < 126 ? body.length : 126);
  if (body.length >= 126) head.writeUInt16BE(body.length, 2);
  socket.write(Buffer.concat([head, body]));
}

/** Reads a server's WebSocket messages, none of which is cut into frames; the answer to the upgrade is passed over. */
function readMessages(socket: Socket, take: (message: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  let upgraded = false;
  socket.on('data', (data) => {
    let buffer = rest.length > 0 ? Buffer.concat([rest, data]) : data;
    if (!upgraded) {
      const end = buffer.indexOf('\r\n\r\n');
      upgraded = end >= 0;
      buffer = upgraded ? buffer.subarray(end + 4) : buffer;
    }
    let at = 0;
    while (upgraded && buffer.length - at >= 2) {
      const short = (buffer[at + 1] ?? 0) & 0x7f;
      const headLength = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (buffer.length - at < headLength) break;
      const length =
        short < 126
          ? short
          : short === 126
            ? buffer.readUInt16BE(at + 2)
            : Number(buffer.readBigUInt64BE(at + 2));
      if (buffer.length - at < headLength + length) break;
      take(buffer.subarray(at + headLength, at + headLength + length));
      at += headLength + length;
    }
    rest = buffer.subarray(at);
  });
}
