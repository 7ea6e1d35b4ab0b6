import { setTimeout as sleep } from 'node:timers/promises';

const strokeMs = 12;
/** What waits is written within about so many strokes, so that the paper is never far behind. */
const maxStrokes = 80;

const segmenter = new Intl.Segmenter();

/** Writes a text that comes in lumps character by character, faster where much waits. */
export class Typewriter {
  #waiting: string[] = [];
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;

  constructor(private readonly write: (text: string) => void) {}

  push(text: string): void {
    for (const { segment } of segmenter.segment(text)) this.#waiting.push(segment);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#running = this.#type();
  }

  /** Resolves when all is written. */
  end(): Promise<void> {
    return this.#running;
  }

  async #type(): Promise<void> {
    while (this.#waiting.length > 0) {
      this.write(this.#waiting.splice(0, Math.ceil(this.#waiting.length / maxStrokes)).join(''));
      await sleep(strokeMs);
    }
    this.#isRunning = false;
  }
}
