const maxDelayMs = 10_000;

/**
 * How long to wait before the next try, in ms: anything up to a bound that doubles to ten seconds ("full jitter"), so
 * that the clients of a restarted server do not return as one.
 *
 * @param failedTries how many tries failed since the last success
 * @param random in [0, 1)
 * @param firstDelayMs the bound of the first wait
 */
export function retryDelayMs(
  failedTries: number,
  random: number = Math.random(),
  firstDelayMs = 500,
): number {
  return Math.round(random * Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(failedTries, 30)));
}
