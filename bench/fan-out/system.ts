import { randomUUID } from 'node:crypto';
import { conversationRoom, type Room } from '../../src/wire/room.js';
import { chunkEvent } from '../lib/chunk-event.js';
import type { Stores } from '../part.js';
import type { Door } from './work.js';

/** A system that is running, with rooms that clients may come into. */
export interface RunningSystem {
  /** The process that writes to the clients. */
  pid: number;
  /** One for each room. */
  doors: readonly Door[];
  /** Writes a chunk to a room; in order, and resolved when the system has taken it. */
  write: (room: number, text: string) => Promise<void>;
  stop: () => Promise<void>;
}

export interface FanOutSystem {
  name: string;
  start: (stores: Stores, rooms: number) => Promise<RunningSystem>;
}

const generationId = randomUUID();

/** Names of rooms, as long as the product's. */
export const roomNames = (rooms: number): Room[] =>
  Array.from({ length: rooms }, () => conversationRoom(randomUUID()));

/** What the product tells its clients of a chunk, for those that are told the same. */
export const eventOf = (room: string, text: string) => chunkEvent(room, generationId, text);

export const socketIoPath = '/socket.io/?EIO=4&transport=websocket';
