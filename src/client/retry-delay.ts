const firstDelayMs = 500;
const maxDelayMs = 10_000;

/**
 * How long to wait before the next try, in ms: doubling from half a second to ten, and spread by a quarter either way,
 * so that the clients of a restarted server do not return as one.
 *
 * @param failedTries how many tries failed since the last success
 * @param random in [0, 1)
 */
export function retryDelayMs(failedTries: number, random: number = Math.random()): number {
  const delayMs = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(failedTries, 10));
  return Math.round(delayMs * (0.75 + random / 2));
}
