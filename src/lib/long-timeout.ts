const maxTimeoutMs = 2 ** 31 - 1;

/** `setTimeout` for waits of any length (Node's own is cut to 1 ms past 24.8 days). Returns how to stop it. */
export function setLongTimeout(action: () => void, ms: number): () => void {
  let timer: NodeJS.Timeout;
  const wait = (leftMs: number) => {
    const stepMs = Math.min(leftMs, maxTimeoutMs);
    timer = setTimeout(() => {
      if (leftMs > stepMs) wait(leftMs - stepMs);
      else action();
    }, stepMs).unref();
  };
  wait(Math.max(0, ms));
  return () => {
    clearTimeout(timer);
  };
}
