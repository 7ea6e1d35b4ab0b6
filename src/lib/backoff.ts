interface Backoff {
  baseMs: number;
  maxMs: number;
}

/**
 * How long to wait before try `attempt` (from 0): exponential with full jitter, so that many who failed together do not
 * come back together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export function backoffMs(attempt: number, { baseMs, maxMs }: Backoff): number {
  return Math.random() * Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
}
