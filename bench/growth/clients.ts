/** The clients of the growth bench: each watches some rooms, and counts what it gets. */
import { RawClient, type Address } from '../lib/raw-client.js';
import { serve } from '../lib/serve.js';
import { nowUs, readChunks } from '../fan-out/work.js';

let delivered = 0;
let latencyUs: number[] = [];
let since = { cpu: process.cpuUsage(), us: nowUs() };
const clients: RawClient[] = [];

const take = (message: Buffer) => {
  readChunks(message, (_n, writtenAtUs) => {
    delivered += 1;
    latencyUs.push(nowUs() - writtenAtUs);
  });
};

const handlers = {
  /** One client for each of the lists of rooms. */
  watch: async (address: Address, roomsOfClients: readonly (readonly string[])[]) => {
    for (const rooms of roomsOfClients) {
      const client = new RawClient(address, take);
      clients.push(client);
      await client.connect();
      // A few at a time, as a person's tabs would at the most.
      for (let at = 0; at < rooms.length; at += 20)
        await Promise.all(rooms.slice(at, at + 20).map((room) => client.join(room)));
    }
  },
  /** What is reported is counted from here on. */
  measure: () => {
    delivered = 0;
    latencyUs = [];
    since = { cpu: process.cpuUsage(), us: nowUs() };
  },
  report: () => {
    const { user, system } = process.cpuUsage(since.cpu);
    return { delivered, latencyUs, cpuShare: (user + system) / (nowUs() - since.us) };
  },
  leave: () => {
    for (const client of clients.splice(0)) client.cut();
  },
};
export type Clients = typeof handlers;

serve(handlers);
