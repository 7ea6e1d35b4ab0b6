import type { Frame } from '../../../src/gateway/frame.js';
import type { LogReader } from '../../../src/gateway/log-reader.js';
import { RoomWatcher, type Sink, type WatcherOptions } from '../../../src/gateway/room-watcher.js';
import { ownRight } from '../../../src/gateway/watch-right.js';
import type { RoomHub } from '../../../src/redis/room-hub.js';
import { deltaIn, type ModelLog } from './model-log.js';

export interface ModelView {
  text: string;
  ended: boolean;
}

export interface ClientPlan {
  /** Turns before the first visit. */
  late: number;
  /** Turns of each visit but the last, which stays. */
  visits: number[];
  /** Frames that it takes before it is behind. */
  capacity: number;
}

interface ModelClientOptions extends Pick<WatcherOptions, 'room' | 'log'> {
  plan: ClientPlan;
  model: ModelLog;
  hub: RoomHub;
  reader: LogReader;
  snapshot: () => Promise<{ cursor: string; view: ModelView }>;
  /** Lets something else happen. */
  turn: (label: string) => Promise<void>;
}

/** A client that comes and goes, is slow, and checks at every event that what it holds is what the log says there. */
export class ModelClient implements Sink {
  readonly faults: string[] = [];
  held: (ModelView & { cursor: string }) | undefined;
  #admitted = false;
  #watcher: RoomWatcher | undefined;
  #pending = 0;
  #waiting: (() => void)[] = [];

  constructor(private readonly options: ModelClientOptions) {}

  async run(): Promise<void> {
    const { plan, turn } = this.options;
    for (let i = 0; i < plan.late; i += 1) await turn('client is not there yet');
    for (const stays of plan.visits) {
      const watcher = await this.#join();
      for (let i = 0; i < stays; i += 1) await turn('client watches');
      watcher?.close();
      this.#admitted = false;
    }
    while (!(await this.#join())) await turn('client tries again');
  }

  get congested(): boolean {
    return this.#pending > this.options.plan.capacity;
  }

  drained(): Promise<void> {
    return this.congested ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }

  send(frame: Frame): void {
    if (!this.#admitted) this.faults.push(`${frame.type} came before the ack of the join, or behind the end`);
    if (this.congested) this.faults.push(`${frame.type} was sent to a client that is behind`);
    this.#pending += 1;
    void this.options.turn('client reads').then(() => {
      this.#pending -= 1;
      if (this.congested) return;
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.#receive(frame);
  }

  /** Closes it. What it should have seen by then. */
  end(): void {
    const { model } = this.options;
    this.#watcher?.close();
    this.#watcher = undefined;
    if (this.held?.cursor !== model.last)
      this.faults.push(`stopped at ${String(this.held?.cursor)}, not at ${String(model.last)}`);
    if (!this.held?.ended) this.faults.push('has not seen the end');
  }

  async #join(): Promise<RoomWatcher | undefined> {
    const { room, log, hub, reader, snapshot } = this.options;
    let view: ModelView | undefined;
    const watcher = new RoomWatcher({
      room,
      log,
      hub,
      reader,
      sink: this,
      snapshot: async () => {
        const seen = await snapshot();
        view = seen.view;
        // Its shape is the wire's business, and not of this model.
        return { cursor: seen.cursor, snapshot: seen.view as never };
      },
      right: ownRight,
      onEnd: () => this.faults.push('the watching was ended'),
    });
    this.#watcher = watcher;
    try {
      const joined = await watcher.join(this.held?.cursor);
      if (!joined.resumed && view) this.held = { ...view, cursor: joined.cursor };
      this.#admitted = true;
      this.#check('the join');
      watcher.start();
      return watcher;
    } catch {
      return undefined;
    }
  }

  #receive({ type, cursor, data }: Frame): void {
    if (!this.held || cursor === undefined) return;
    this.held.cursor = cursor;
    switch (type) {
      case 'snapshot':
        Object.assign(this.held, (JSON.parse(data) as { snapshot: ModelView }).snapshot);
        break;
      case 'generation.completed':
        Object.assign(this.held, { text: this.options.model.postgres.text, ended: true });
        break;
      case 'generation.reset':
        if (!this.held.ended) this.held.text = '';
        break;
      default:
        // What has ended is not written any more: a snapshot may be ahead of the log.
        if (!this.held.ended) this.held.text += deltaIn(data);
    }
    this.#check(type);
  }

  /** Prefix agreement: at a cursor there is one text, whoever holds it and however it came there. */
  #check(what: string): void {
    const { textAt, postgres } = this.options.model;
    if (!this.held) return;
    const { cursor, text, ended } = this.held;
    const expected = ended ? postgres.text : textAt.get(cursor);
    if (text !== expected)
      this.faults.push(`behind ${what}: "${text}" at ${cursor}, where it should be "${String(expected)}"`);
  }
}
