/** Why a worker stops a generation that runs: the reason that its AbortSignal carries. */
export type StopKind =
  'cancelled' | 'fenced' | 'handOver' | 'timeout' | 'idleTimeout' | 'firstTokenTimeout' | 'budget';

export class Stop extends Error {
  override readonly name = 'Stop';

  constructor(readonly kind: StopKind) {
    super(`stopped: ${kind}`);
  }
}

/** The reason a signal fired for, where it was a stop. */
export function stopOf(signal: AbortSignal): Stop | undefined {
  return signal.aborted && signal.reason instanceof Stop ? signal.reason : undefined;
}
