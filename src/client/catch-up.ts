/** What was missed while the connection was away; `events` is null where a snapshot replaced everything. */
export interface CaughtUp {
  events: number | null;
}

interface CatchUpOptions {
  /** How long the notice stands, in ms. */
  noticeMs: number;
  /** Null takes the notice away. */
  onNotice: (caughtUp: CaughtUp | null) => void;
}

/** A replay that is not followed by a live event counts as complete after this time without another event. */
const replayQuietMs = 200;

/** Counts what comes again after a connection that came back, and tells it from what is new by the server's clock. */
export class CatchUp {
  /** The events after a join that happened before it. `until`: the server's time of the join, in ms since the epoch. */
  #replay: { until: number; events: number } | undefined;
  /** How far this clock is ahead of the server's, in ms: the least that live events showed. */
  #clockAheadMs = Number.POSITIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: CatchUpOptions) {}

  /** What was missed follows as events. */
  beginReplay(): void {
    this.stop();
    const aheadMs = Number.isFinite(this.#clockAheadMs) ? this.#clockAheadMs : 0;
    this.#replay = { until: Date.now() - aheadMs, events: 0 };
  }

  /** What was missed is in a snapshot. */
  replaced(): void {
    this.stop();
    this.#notice({ events: null });
  }

  /** An event has come that was written at `at`, ISO 8601 UTC. */
  saw(at: string): void {
    const atMs = Date.parse(at);
    if (this.#replay && atMs < this.#replay.until) {
      this.#replay.events += 1;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => {
        this.#replayed();
      }, replayQuietMs);
      return;
    }
    this.#clockAheadMs = Math.min(this.#clockAheadMs, Date.now() - atMs);
    this.#replayed();
  }

  /** The connection is gone: what was counted counts no more. */
  stop(): void {
    this.#replay = undefined;
    clearTimeout(this.#timer);
  }

  #replayed(): void {
    if (!this.#replay) return;
    const { events } = this.#replay;
    this.#replay = undefined;
    if (events > 0) this.#notice({ events });
  }

  #notice(caughtUp: CaughtUp): void {
    clearTimeout(this.#timer);
    this.options.onNotice(caughtUp);
    this.#timer = setTimeout(() => {
      this.options.onNotice(null);
    }, this.options.noticeMs);
  }
}
