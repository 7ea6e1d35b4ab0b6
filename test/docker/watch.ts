import { EventSource } from 'eventsource';
import { io, type ManagerOptions, type Socket } from 'socket.io-client';
import type { RoomEvent, RoomEventType } from '../../src/wire/room-events.js';
import { conversationRoom } from '../../src/wire/room.js';
import type { JoinAck } from '../../src/wire/socket-events.js';
import { Answers } from './answers.js';

/** What is watched: the conversation of this id at the server of the URL `base`. */
export interface Target {
  base: string;
  token: string;
  conversationId: string;
}

const closers: (() => void)[] = [];

/** Closes all that was opened here. */
export function stopWatching(): void {
  for (const close of closers.splice(0)) close();
}

type Options = Pick<ManagerOptions, 'transports'>;

export interface Watcher {
  answers: Answers;
  socket: Socket;
}

/** Watches by Socket.IO; joins again by the last cursor after every reconnection. */
export async function watchSocket(
  name: string,
  { base, token, conversationId }: Target,
  options: Options = {},
): Promise<Watcher> {
  const answers = new Answers(name);
  const socket = io(base, { auth: { token }, reconnectionDelayMax: 1000, ...options });
  closers.push(() => {
    socket.disconnect();
  });
  const room = conversationRoom(conversationId);
  let after: string | undefined;
  const see = (event: RoomEvent) => {
    if (event.cursor) after = event.cursor;
    answers.apply(event);
  };
  await new Promise<void>((resolve, reject) => {
    socket.on('connect', () => {
      socket.emit('join', { room, after }, (ack: JoinAck) => {
        if (!ack.ok) {
          reject(new Error(`${name}: ${ack.error.message}`));
          return;
        }
        if (ack.snapshot) {
          see({ type: 'snapshot', room, cursor: ack.cursor, at: '', snapshot: ack.snapshot });
        }
        resolve();
      });
    });
    socket.onAny((_type: string, event: RoomEvent) => {
      see(event);
    });
    setTimeout(() => {
      reject(new Error(`${name} could not join`));
    }, 20_000).unref();
  });
  return { answers, socket };
}

const watchedTypes: RoomEventType[] = [
  'snapshot',
  'generation.chunk',
  'generation.reset',
  'generation.completed',
  'generation.cancelled',
  'generation.failed',
];

/** Watches by Server-Sent Events; EventSource reconnects by the last cursor itself. */
export async function watchEvents(name: string, { base, token, conversationId }: Target): Promise<Answers> {
  const answers = new Answers(name);
  const source = new EventSource(`${base}/v1/conversations/${conversationId}/events?access_token=${token}`);
  closers.push(() => {
    source.close();
  });
  for (const type of watchedTypes) {
    source.addEventListener(type, ({ data }) => {
      answers.apply(JSON.parse(data as string) as RoomEvent);
    });
  }
  await new Promise<void>((resolve, reject) => {
    source.addEventListener('snapshot', () => {
      resolve();
    });
    source.addEventListener('error', ({ code, message }) => {
      if (source.readyState === source.CLOSED) reject(new Error(`${name}: ${String(code)} ${message ?? ''}`));
    });
  });
  return answers;
}
