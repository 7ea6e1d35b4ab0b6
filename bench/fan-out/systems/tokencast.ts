import { conversationRoom, type Room } from '../../../src/wire/room.js';
import { Person } from '../../../test/support/person.js';
import { startSystem } from '../../../test/support/system.js';
import { RoomWriter } from '../../lib/room-writer.js';
import { portOf, socketIoPath, type FanOutSystem } from '../system.js';

/**
 * The product as it ships: an api with all that it does for a room; written to as a worker does.
 *
 * @param straight whether it writes past Socket.IO's engine, as it does by default
 */
export const startTokencast =
  (straight: boolean): FanOutSystem['start'] =>
  async ({ redisUrl, postgresUrl }, rooms) => {
    const env = { SOCKET_STRAIGHT_FRAMES: String(straight), LOG_LEVEL: 'warn' };
    const system = await startSystem({ workers: 0, redisUrl, databaseUrl: postgresUrl, env });
    const api = system.api();
    const person = await Person.signIn(api, 'Bench');
    const names: Room[] = [];
    for (let n = 0; n < rooms; n += 1) names.push(conversationRoom(await person.converse()));
    const writer = new RoomWriter(redisUrl, system.keyPrefix);
    for (const room of names) await writer.open(room);
    return {
      pid: api.pid ?? 0,
      doors: names.map((room) => ({
        by: 'web socket',
        port: portOf(api.url),
        path: socketIoPath,
        says: [`40${JSON.stringify({ token: person.token })}`, `420${JSON.stringify(['join', { room }])}`],
        isIn: '"ok":true',
      })),
      write: (index, text) => writer.write(names[index] ?? 'user:nobody', text),
      stop: async () => {
        writer.close();
        await system.stop();
      },
    };
  };
