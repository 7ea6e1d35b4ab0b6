import { Counter, Histogram, type Registry } from 'prom-client';
import type { LogEntry } from '../redis/room-log.js';
import type { Frame } from './frame.js';

/** How a client is connected. */
type Transport = 'socket' | 'event_stream';

/** One of so many chunks and writes is timed: a clock and a histogram for each would cost more than they tell. */
const timedOf = 16;
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * What goes through the gateway. It is told of every event for every client, so it counts in plain numbers, which become
 * metrics when somebody asks.
 */
export class GatewayMetrics {
  readonly #sent = { socket: { events: 0, bytes: 0 }, event_stream: { events: 0, bytes: 0 } };
  readonly #joins = { resumed: 0, snapshot: 0 };
  #resyncs = 0;
  #chunks = 0;
  readonly #writes = { socket: 0, event_stream: 0 };
  readonly #heard: Histogram;
  readonly #written: Histogram<'transport'>;

  constructor(registry: Registry) {
    const registers = [registry];
    const sent = this.#sent;
    const joins = this.#joins;
    const resyncs = () => this.#resyncs;
    new Counter({
      name: 'tokencast_sent_events_total',
      help: 'Events handed to the transports of clients.',
      labelNames: ['transport'],
      registers,
      collect() {
        this.reset();
        for (const [transport, { events }] of Object.entries(sent)) this.inc({ transport }, events);
      },
    });
    new Counter({
      name: 'tokencast_sent_bytes_total',
      help: 'Bytes of the events handed to the transports of clients, before framing and compression.',
      labelNames: ['transport'],
      registers,
      collect() {
        this.reset();
        for (const [transport, { bytes }] of Object.entries(sent)) this.inc({ transport }, bytes);
      },
    });
    new Counter({
      name: 'tokencast_joins_total',
      help: 'Rooms that clients began to watch: resumed behind their cursor, or with a snapshot.',
      labelNames: ['result'],
      registers,
      collect() {
        this.reset();
        for (const [result, count] of Object.entries(joins)) this.inc({ result }, count);
      },
    });
    new Counter({
      name: 'tokencast_resyncs_total',
      help: 'Snapshots sent to clients that watched, in place of what the log could not tell.',
      registers,
      collect() {
        this.reset();
        this.inc(resyncs());
      },
    });
    this.#heard = new Histogram({
      name: 'tokencast_chunk_gateway_seconds',
      help: `From the moment a worker writes a chunk into the room log to the api that hears it, by the clocks of both; one chunk of ${timedOf} is timed.`,
      buckets,
      registers,
    });
    this.#written = new Histogram({
      name: 'tokencast_chunk_write_seconds',
      help: `From the moment an api hears a chunk to its transport having taken it for a client; one write of ${timedOf} is timed.`,
      labelNames: ['transport'],
      buckets,
      registers,
    });
  }

  /** An entry of a room's log was published: called once in this process, however many watch. */
  heard({ type, data }: LogEntry): void {
    if (type !== 'generation.chunk' || this.#chunks++ % timedOf !== 0) return;
    // Cheaper than parsing; quotes inside of values are escaped.
    const at = data.indexOf(atKey) + atKey.length;
    const latencyMs = Date.now() - Date.parse(data.slice(at, data.indexOf('"', at)));
    if (latencyMs === latencyMs) this.#heard.observe(Math.max(0, latencyMs) / 1000);
  }

  /** `bytes`, `events`: of all clients to which this was written. */
  sent(transport: Transport, bytes: number, events = 1): void {
    const sent = this.#sent[transport];
    sent.events += events;
    sent.bytes += bytes;
  }

  /** For a write, to one client or to several together. Undefined: it is not timed. Else to be called when a transport has taken it. */
  timed(transport: Transport, { heardAt }: Frame): (() => void) | undefined {
    if (heardAt === undefined || this.#writes[transport]++ % timedOf !== 0) return undefined;
    return () => {
      this.#written.observe({ transport }, (performance.now() - heardAt) / 1000);
    };
  }

  joined(how: 'resumed' | 'snapshot'): void {
    this.#joins[how] += 1;
  }

  resynchronised(): void {
    this.#resyncs += 1;
  }
}

const atKey = '"at":"';
