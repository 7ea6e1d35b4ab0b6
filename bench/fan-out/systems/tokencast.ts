import { conversationRoom, type Room } from '../../../src/wire/room.js';
import { startProduct } from '../../lib/product.js';
import { socketIoPath, type FanOutSystem } from '../system.js';

/**
 * The product as it ships: an api with all that it does for a room; written to as a worker does.
 *
 * @param straight whether it writes past Socket.IO's engine, as it does by default
 */
export const startTokencast =
  (straight: boolean): FanOutSystem['start'] =>
  async (stores, rooms) => {
    const env = { SOCKET_STRAIGHT_FRAMES: String(straight) };
    const { pid, port, person, writer, stop } = await startProduct(stores, { env });
    const names: Room[] = [];
    for (let n = 0; n < rooms; n += 1) names.push(conversationRoom(await person.converse()));
    for (const room of names) await writer.open(room);
    return {
      pid,
      doors: names.map((room) => ({
        by: 'web socket',
        port,
        path: socketIoPath,
        says: [`40${JSON.stringify({ token: person.token })}`, `420${JSON.stringify(['join', { room }])}`],
        isIn: '"ok":true',
      })),
      write: (index, text) => writer.write(names[index] ?? 'user:nobody', text),
      stop,
    };
  };
