/** Behind the first picture and what it needs. */
const afterMs = 2000;

const waiting: (() => void)[] = [];

/** Runs `act` once the page has been there for a while and has nothing to do; not for who saves data. */
export function whenIdle(act: () => void): void {
  waiting.push(act);
}

/** Begins to count. Call it once the first picture stands. */
export function startIdleWork(): void {
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  if (connection?.saveData) return;
  setTimeout(() => {
    next();
  }, afterMs);
}

/** One after the other: the page comes between them. */
function next(): void {
  const act = waiting.shift();
  if (!act) return;
  onIdle(() => {
    act();
    next();
  });
}

// Safari has none.
const onIdle: (act: () => void) => void =
  'requestIdleCallback' in globalThis ? (act) => requestIdleCallback(act) : (act) => setTimeout(act, 50);
