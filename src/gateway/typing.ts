import type { User } from '../domain/conversation.js';
import type { RoomLog } from '../redis/room-log.js';
import type { Room } from '../wire/room.js';

/** Typing that is not renewed ends by itself. */
const endsAfterMs = 5000;
/** Renewals that come faster are not passed on. */
const renewMs = 1000;

/** Tells a room that one of its members is typing, over one socket. Best effort: nothing of it is logged. */
export class Typing {
  #timer: NodeJS.Timeout | undefined;
  #toldAt = 0;

  constructor(
    private readonly roomLog: Pick<RoomLog, 'whisper'>,
    private readonly room: Room,
    private readonly user: User,
  ) {}

  set(typing: boolean): void {
    const was = this.#timer !== undefined;
    clearTimeout(this.#timer);
    this.#timer = typing
      ? setTimeout(() => {
          this.set(false);
        }, endsAfterMs).unref()
      : undefined;
    if (was === typing && (!typing || Date.now() - this.#toldAt < renewMs)) return;
    this.#toldAt = Date.now();
    const { room, user } = this;
    const event = { type: 'typing', room, at: new Date().toISOString(), user, typing };
    this.roomLog.whisper(room, 'typing', event).catch(() => undefined);
  }
}
