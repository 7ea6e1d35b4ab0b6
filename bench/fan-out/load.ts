/**
 * The clients of a comparison, in a process of their own: WebSockets and event streams that are read with as little work as
 * can be, so that the servers are what is measured.
 */
import { openEventStream } from '../lib/raw-event-stream.js';
import { RawWebSocket } from '../lib/raw-web-socket.js';
import { nowUs, readChunks, type Door, type FromLoad, type ToLoad } from './work.js';

const sampleEvery = 20;

interface Client {
  next: number;
}

const clients: Client[] = [];
let delivered = 0;
/** Counted from the first chunk on. */
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
      [delivered, latencyUs] = [0, []];
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

function connect(door: Door): Promise<void> {
  return new Promise((resolve, reject) => {
    const client: Client = { next: 0 };
    const onOpen = () => {
      clients.push(client);
      resolve();
    };
    const onFailed = (error: Error) => {
      disordered += 1;
      reject(error);
    };
    const take = (message: Buffer) => {
      readChunks(message, (n, writtenAtUs) => {
        if (n !== client.next) disordered += 1;
        client.next = n + 1;
        delivered += 1;
        if (delivered % sampleEvery === 0) latencyUs.push(nowUs() - writtenAtUs);
      });
    };
    switch (door.by) {
      case 'event stream':
        openEventStream(door, { onOpen, onData: take, onFailed });
        break;
      case 'silent web socket':
        new RawWebSocket(door, { onOpen, onMessage: take, onFailed });
        break;
      case 'web socket':
        new RawWebSocket(door, { onMessage: afterEntry(door, onOpen, take), onFailed });
    }
  });
}

/** Says what a client has to say before it is in, and hands on what comes afterwards. */
function afterEntry(
  { says, isIn }: Extract<Door, { by: 'web socket' }>,
  onIn: () => void,
  take: (message: Buffer) => void,
): (message: Buffer, webSocket: RawWebSocket) => void {
  const toSay = [...says];
  let isMember = false;
  return (message, webSocket) => {
    if (!isMember) {
      const next = toSay.shift();
      if (next !== undefined) webSocket.say(next);
      isMember = message.includes(isIn);
      if (isMember) onIn();
    }
    take(message);
  };
}
