/** The clients of the resume bench: each watches one room, is cut off, and comes back with its cursor, all at once. */
import { RawClient, type Address } from '../lib/raw-client.js';
import { serve } from '../lib/serve.js';
import { nowUs, readChunks } from '../fan-out/work.js';

const cursorMark = '{"cursor":"';

interface Member {
  client: RawClient;
  room: string;
  cursor: string;
  /** The chunk that it waits for. */
  next: number;
  /** Called when it has chunks up to this one. */
  reached: { n: number; tell: () => void } | undefined;
}

let members: Member[] = [];
let latencyUs: number[] = [];
let disordered = 0;

function take(member: Member, message: Buffer): void {
  const at = message.indexOf(cursorMark);
  if (at < 0) return;
  const from = at + cursorMark.length;
  member.cursor = message.toString('latin1', from, message.indexOf('"', from));
  readChunks(message, (n, writtenAtUs) => {
    if (member.next !== n && member.next >= 0) disordered += 1;
    member.next = n + 1;
    latencyUs.push(nowUs() - writtenAtUs);
  });
  if (member.reached && member.next > member.reached.n) member.reached.tell();
}

const handlers = {
  /** One client for each of the tokens, all in one room. */
  watch: async (port: number, tokens: readonly string[], room: string) => {
    members = tokens.map((token) => {
      const address: Address = { port, token };
      const member: Member = {
        client: new RawClient(address, (message) => {
          take(member, message);
        }),
        room,
        cursor: '',
        next: -1,
        reached: undefined,
      };
      return member;
    });
    for (let at = 0; at < members.length; at += 20)
      await Promise.all(
        members.slice(at, at + 20).map(async ({ client }) => {
          await client.connect();
          await client.join(room);
        }),
      );
  },
  /** Forgets what was measured so far. */
  measure: () => {
    latencyUs = [];
  },
  /** Latencies since the last call. */
  report: () => {
    const report = { latencyUs, disordered };
    latencyUs = [];
    return report;
  },
  /** The newest chunk that all have got. */
  at: () => Math.min(...members.map(({ next }) => next)) - 1,
  /** Breaks all connections. */
  cut: () => {
    for (const { client } of members) client.cut();
  },
  /** All come back at once; µs until each has all chunks up to `n`, and how many were not resumed. */
  comeBack: async (n: number) => {
    let snapshots = 0;
    const tookUs = await Promise.all(
      members.map(async (member) => {
        const beganAtUs = nowUs();
        const reached = new Promise<void>((tell) => (member.reached = { n, tell }));
        await member.client.connect();
        const ack = await member.client.join(member.room, member.cursor);
        if (!ack.includes('"resumed":true')) snapshots += 1;
        await reached;
        member.reached = undefined;
        return nowUs() - beganAtUs;
      }),
    );
    return { tookUs, snapshots };
  },
  /** One client joins and leaves so often; µs from each join to its answer, and how long that was. */
  joinLate: async (port: number, token: string, room: string, times: number) => {
    const tookUs: number[] = [];
    let length = 0;
    for (let time = 0; time < times; time += 1) {
      const client = new RawClient({ port, token }, () => undefined);
      await client.connect();
      const beganAtUs = nowUs();
      length = (await client.join(room)).length;
      tookUs.push(nowUs() - beganAtUs);
      client.cut();
    }
    return { tookUs, length };
  },
};
export type Clients = typeof handlers;

serve(handlers);
