/**
 * Lets a signal abort a controller, with its reason. Answers what ends that, to be called when the controller's work is
 * over: unlike `AbortSignal.any`, of which Node 20 keeps all that was ever joined with a signal, nothing is left behind.
 */
export function linkAbort(controller: AbortController, signal: AbortSignal | undefined): () => void {
  if (!signal) return () => undefined;
  const abort = () => {
    controller.abort(signal.reason);
  };
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  return () => {
    signal.removeEventListener('abort', abort);
  };
}
