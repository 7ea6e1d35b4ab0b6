/** The clients of the latency bench: an official Socket.IO client and an event stream in the same room. */
import { once } from 'node:events';
import { createParser } from 'eventsource-parser';
import { io } from 'socket.io-client';
import type { RoomEvent } from '../../src/client/index.js';
import { isTerminalEventType } from '../../src/wire/room-events.js';
import { nowUs, readChunks } from '../fan-out/work.js';
import { serve } from '../lib/serve.js';

type Transport = 'socket' | 'stream';

const latencyUs: Record<Transport, number[]> = { socket: [], stream: [] };
const first = { socket: true, stream: true };
const firstUs: Record<Transport, number[]> = { socket: [], stream: [] };
const heard = { socket: 0, stream: 0 };
const ended = { socket: 0, stream: 0 };
const changed = new EventTarget();

function take(transport: Transport, event: RoomEvent): void {
  const atUs = nowUs();
  if (isTerminalEventType(event.type)) {
    first[transport] = true;
    ended[transport] += 1;
    changed.dispatchEvent(new Event('changed'));
  }
  if (event.type !== 'generation.chunk' || event.chunk.type !== 'content_block_delta') return;
  const { delta } = event.chunk;
  if (delta.type !== 'text_delta') return;
  readChunks(Buffer.from(delta.text), (_n, writtenAtUs) => {
    (first[transport] ? firstUs : latencyUs)[transport].push(atUs - writtenAtUs);
    first[transport] = false;
  });
  heard[transport] += 1;
  changed.dispatchEvent(new Event('changed'));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await once(changed, 'changed');
}

const handlers = {
  connect: async (url: string, token: string, room: string) => {
    const socket = io(url, { transports: ['websocket'], auth: { token } });
    socket.onAny((_type: string, event: RoomEvent) => {
      take('socket', event);
    });
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    await socket.emitWithAck('join', { room });
    const response = await fetch(`${url}/v1/events?room=${room}`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    });
    // It begins with the snapshot.
    await new Promise<void>((resolve) => void readStream(response, resolve));
  },
  /** Waits until so many answers have ended for both. */
  ended: (count: number) => until(() => ended.socket >= count && ended.stream >= count),
  /** Waits until both have heard a chunk since the last call. */
  heard: async () => {
    await until(() => heard.socket > 0 && heard.stream > 0);
    heard.socket = heard.stream = 0;
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
    const report = { latencyUs: { ...latencyUs }, firstUs: { ...firstUs } };
    Object.assign(latencyUs, { socket: [], stream: [] });
    Object.assign(firstUs, { socket: [], stream: [] });
    return report;
  },
};
export type Clients = typeof handlers;

async function readStream(response: Response, onBegun: () => void): Promise<void> {
  const parser = createParser({
    onEvent: ({ data }) => {
      onBegun();
      take('stream', JSON.parse(data) as RoomEvent);
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }));
}

serve(handlers);
