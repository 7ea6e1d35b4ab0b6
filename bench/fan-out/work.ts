import type { Place } from '../lib/raw-http.js';

/** What every system of the comparison has to do: rooms, clients in each, chunks for each room. */
export interface Work {
  name: string;
  rooms: number;
  clientsPerRoom: number;
  /** For each room; undefined: as fast as it goes. */
  chunksPerSecond: number | undefined;
}

export const works: readonly Work[] = [
  { name: '1 × 500, 50/s', rooms: 1, clientsPerRoom: 500, chunksPerSecond: 50 },
  { name: '100 × 10, 30/s', rooms: 100, clientsPerRoom: 10, chunksPerSecond: 30 },
  { name: '1 × 200, saturated', rooms: 1, clientsPerRoom: 200, chunksPerSecond: undefined },
];

/** Microseconds on a clock that all processes of a machine share. */
export const nowUs = (): number => Number(process.hrtime.bigint() / 1000n);

const mark = '|';
const numberDigits = 8;
const timeDigits = 16;

/** The text of a chunk: its number within the room, from 0, and when it was written, about as long as a token or five. */
export const chunkText = (n: number): string =>
  `${mark}${String(n).padStart(numberDigits, '0')}${String(nowUs()).padStart(timeDigits, '0')}`;

/** Reads the chunks of a message, however many were joined in it, and hands each on. */
export function readChunks(message: Buffer, take: (n: number, writtenAtUs: number) => void): void {
  for (let at = message.indexOf(mark); at >= 0; at = message.indexOf(mark, at + 1)) {
    const timeAt = at + 1 + numberDigits;
    take(
      Number(message.toString('latin1', at + 1, timeAt)),
      Number(message.toString('latin1', timeAt, timeAt + timeDigits)),
    );
  }
}

/** How a client of a system comes into its room. */
export type Door = Place &
  (
    | {
        /** Chunks are messages of a WebSocket. */
        by: 'web socket';
        /** What it says, each after the server has said something. */
        says: readonly string[];
        /** Stands in the message after which it is in. */
        isIn: string;
      }
    /** It is in as soon as it is let in, and says nothing. */
    | { by: 'silent web socket' }
    /** Chunks are events of one HTTP response; it is in as soon as that begins. */
    | { by: 'event stream' }
  );

/** To the process of the clients. */
export type ToLoad = { do: 'connect'; doors: Door[] } | { do: 'measure' } | { do: 'report' };

/** From the process of the clients. */
export type FromLoad =
  | { is: 'connected' }
  /** How far the slowest client is; while something moves, every few milliseconds. */
  | { is: 'at'; n: number }
  | { is: 'report'; delivered: number; disordered: number; latencyUs: number[]; cpuShare: number };
