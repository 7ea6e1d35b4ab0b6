/** Between two events of a generation: no more than ten a second. */
const betweenMs = 110;
/** What a generation may send of blocks that are being written, in characters a millisecond: a long one comes less often. */
const charactersPerMs = 100;
/** The share of the process's one thread that goes into rendering, over all generations. */
const share = 1 / 5;

/** Until when rendering has had its share. One for all, as the thread is. */
let busyUntil = 0;

/** When a generation may render again. */
export class RenderPace {
  #next = 0;

  /** How long to wait before the next event, in ms. */
  get waitMs(): number {
    return Math.max(0, Math.max(this.#next, busyUntil) - performance.now());
  }

  /** Renders, and counts what it takes. */
  measure(render: () => string): string {
    const begin = performance.now();
    const html = render();
    const end = performance.now();
    busyUntil = Math.max(busyUntil, begin) + (end - begin) / share;
    this.#next = end + Math.max(betweenMs, html.length / charactersPerMs);
    return html;
  }
}
