import type { Browser } from 'playwright-core';
import { launchBrowser } from '../e2e/browser.js';

/** Browsers by the scale of their screens: one that is only told of a scale draws its borders between the pixels. */
export class Screens {
  readonly #browsers = new Map<number, Promise<Browser>>();

  of(scale: number): Promise<Browser> {
    const known = this.#browsers.get(scale);
    if (known) return known;
    const launched = launchBrowser([`--force-device-scale-factor=${scale}`]);
    this.#browsers.set(scale, launched);
    return launched;
  }

  async close(): Promise<void> {
    for (const browser of this.#browsers.values()) await (await browser).close();
  }
}
