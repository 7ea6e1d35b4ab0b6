import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { createKeys } from '../../src/redis/keys.js';
import { RoomLog } from '../../src/redis/room-log.js';
import type { Room } from '../../src/wire/room.js';
import { chunkEvent } from './chunk-event.js';

/** Writes chunks into rooms as a worker does, without a model; one generation in each. */
export class RoomWriter {
  readonly #redis: Redis;
  readonly #roomLog: RoomLog;
  readonly #generationId = randomUUID();
  readonly #written = new Map<Room, number>();

  constructor(redisUrl: string, keyPrefix: string) {
    this.#redis = new Redis(redisUrl);
    this.#roomLog = new RoomLog(this.#redis, createKeys(keyPrefix));
  }

  /** Before the first chunk of a room. */
  async open(room: Room): Promise<void> {
    await this.#roomLog.open(room, this.#generationId, 1, { mode: 'takeOver' });
    this.#written.set(room, 0);
  }

  /** Writes a chunk; in order within a room, resolved when the log has it. */
  async write(room: Room, text: string): Promise<void> {
    const generationId = this.#generationId;
    const n = (this.#written.get(room) ?? 0) + 1;
    this.#written.set(room, n);
    const data = JSON.stringify(chunkEvent(room, generationId, text));
    const entries = [{ type: 'generation.chunk', data }];
    const request = { room, generationId, attempt: 1, n, entries, transcript: '', anew: false };
    const answer = await this.#roomLog.append(request);
    if (answer !== 'ok') throw new Error(`the log says ${answer}`);
  }

  close(): void {
    this.#redis.disconnect();
  }
}
