import { lazy, Suspense, useState, useSyncExternalStore } from 'react';
import { TokencastError } from '../../../src/client/index.js';
import { whenIdle } from '../lib/when-idle.js';
import { LoadBoundary } from './load-boundary.js';
import { problems } from './problems.js';

const load = () => import('./toast-stack.js');
const ToastStack = lazy(load);
whenIdle(() => void load().catch(() => undefined));

/**
 * Says that doing `what` (`Stopping`) failed, why, and what can be done. Goes after 6 s, stays while it is hovered or
 * focused.
 */
export function toastError(what: string, error: unknown): void {
  const reason = error instanceof TokencastError ? error.detail : 'Something went wrong in this page.';
  const next = error instanceof TokencastError && !error.retryable ? '' : ' Try again.';
  toastProblem(`${what} did not work. ${reason}${next}`);
}

/** The same in one's own words: the cause, and the next step. */
export function toastProblem(description: string): void {
  problems.set([...problems.get(), description]);
}

/** Where they are shown, from the first on. */
export function Toasts() {
  const some = useSyncExternalStore(problems.subscribe, problems.get).length > 0;
  const [begun, setBegun] = useState(false);
  if (some && !begun) setBegun(true);
  return (
    <LoadBoundary>
      <Suspense>{begun && <ToastStack />}</Suspense>
    </LoadBoundary>
  );
}
