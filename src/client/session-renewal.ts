import { endOfToken } from './tokens.js';

/** How long before its end the server tells of it (contract §6). */
const aheadMs = 60_000;
const againMs = 10_000;
/** Timers cannot wait longer. */
const maxTimerMs = 2 ** 31 - 1;

interface SessionRenewalOptions {
  /** Goes on under a fresh token. Rejects when that does not work. */
  renew: () => Promise<unknown>;
  /** When the session ends for want of a renewal, in ms since the epoch; null: it does not, after all. */
  onEnd: (endsAt: number | null) => void;
}

/** Renews a session that is about to end, quietly; says so only where that does not work, and tries again until the end. */
export class SessionRenewal {
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Which expiry is being looked after: an answer that comes after `stop`, or to an older one, is not listened to. */
  #run = 0;

  constructor(private readonly options: SessionRenewalOptions) {}

  /** The server has said that the session is about to end. */
  begin(): void {
    this.stop();
    void this.#try(Date.now() + aheadMs, this.#run);
  }

  /** Begins by itself when the token is about to end, where nobody will say so. `isAgain`: it has just been renewed. */
  plan(token: string | null, isAgain = false): void {
    this.stop();
    const endsAt = endOfToken(token);
    if (endsAt === null) return;
    const waitMs = Math.max(isAgain ? againMs : 0, endsAt - aheadMs - Date.now());
    this.#timer = setTimeout(
      () => {
        if (waitMs > maxTimerMs) this.plan(token);
        else void this.#try(endsAt, this.#run);
      },
      Math.min(maxTimerMs, waitMs),
    );
  }

  stop(): void {
    this.#run += 1;
    clearTimeout(this.#timer);
  }

  async #try(endsAt: number, run: number): Promise<void> {
    const renewed = await this.options.renew().then(
      () => true,
      () => false,
    );
    if (run !== this.#run) return;
    this.options.onEnd(renewed ? null : endsAt);
    if (renewed || Date.now() + againMs >= endsAt) return;
    this.#timer = setTimeout(() => void this.#try(endsAt, run), againMs);
  }
}
