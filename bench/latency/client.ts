/** The client of the latency bench: an official Socket.IO client, or an event stream. */
import { once } from 'node:events';
import { createParser } from 'eventsource-parser';
import { io } from 'socket.io-client';
import type { RoomEvent } from '../../src/client/index.js';
import { isTerminalEventType } from '../../src/wire/room-events.js';
import { nowUs, readChunks } from '../fan-out/work.js';
import { serve } from '../lib/serve.js';

let latencyUs: number[] = [];
let firstUs: number[] = [];
let isFirst = true;
let heard = 0;
let ended = 0;
const changed = new EventTarget();

function take(event: RoomEvent): void {
  const atUs = nowUs();
  if (isTerminalEventType(event.type)) {
    isFirst = true;
    ended += 1;
    changed.dispatchEvent(new Event('changed'));
  }
  if (event.type !== 'generation.chunk' || event.chunk.type !== 'content_block_delta') return;
  const { delta } = event.chunk;
  if (delta.type !== 'text_delta') return;
  readChunks(Buffer.from(delta.text), (_n, writtenAtUs) => {
    (isFirst ? firstUs : latencyUs).push(atUs - writtenAtUs);
    isFirst = false;
  });
  heard += 1;
  changed.dispatchEvent(new Event('changed'));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await once(changed, 'changed');
}

const handlers = {
  socket: async (url: string, token: string, room: string) => {
    const socket = io(url, { transports: ['websocket'], auth: { token } });
    socket.onAny((_type: string, event: RoomEvent) => {
      take(event);
    });
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    await socket.emitWithAck('join', { room });
  },
  stream: async (url: string, token: string, room: string) => {
    const response = await fetch(`${url}/v1/events?room=${room}`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    });
    // It begins with the snapshot.
    await new Promise<void>((resolve) => void readStream(response, resolve));
  },
  /** Waits until so many answers have ended. */
  ended: (count: number) => until(() => ended >= count),
  /** Waits until a chunk has been heard since the last call. */
  heard: async () => {
    await until(() => heard > 0);
    heard = 0;
  },
  /** Cancels, and tells when that began. */
  cancel: async (url: string, token: string, generationId: string) => {
    const beganAtUs = nowUs();
    await fetch(`${url}/v1/generations/${generationId}/cancel`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    return beganAtUs;
  },
  /** What was measured so far, µs from the model's writing to the callback; forgets it. */
  report: () => {
    const report = { latencyUs, firstUs };
    latencyUs = [];
    firstUs = [];
    return report;
  },
};
export type Client = typeof handlers;

async function readStream(response: Response, onBegun: () => void): Promise<void> {
  const parser = createParser({
    onEvent: ({ data }) => {
      onBegun();
      take(JSON.parse(data) as RoomEvent);
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }));
}

serve(handlers);
