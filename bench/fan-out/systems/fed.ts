import { ownPort } from '../../../test/support/own-port.js';
import { portOf } from '../../lib/port-of.js';
import { openFeed } from '../feed.js';
import { startServer } from '../server.js';
import { eventOf, roomNames, type FanOutSystem } from '../system.js';
import type { Door } from '../work.js';

/** Starts a program of `servers` that is told of chunks by a feed, and lets clients in by the name of their room. */
export const startFed =
  (program: string, by: Exclude<Door['by'], 'web socket'>): FanOutSystem['start'] =>
  async ({ redisUrl }, rooms) => {
    const [port, feedPort] = [await ownPort(), await ownPort()];
    const server = await startServer(program, port, feedPort, portOf(redisUrl));
    const feed = await openFeed(feedPort);
    const names = roomNames(rooms);
    return {
      pid: server.pid,
      doors: names.map((name) => ({ by, port, path: `/${name}` })),
      write: (room, text) => {
        const name = names[room] ?? '';
        return feed.write(name, JSON.stringify(eventOf(name, text)));
      },
      stop: async () => {
        feed.close();
        await server.end();
      },
    };
  };
