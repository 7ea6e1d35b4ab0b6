import { setTimeout as sleep } from 'node:timers/promises';
import { SocketClient, type SseClient } from './clients.js';

const connectWithinMs = 10_000;

/** Watches until the signal fires, coming back behind the last cursor whenever the connection is lost or refused. */
export async function keepWatching(client: SocketClient | SseClient, signal: AbortSignal): Promise<void> {
  const lost = () => (client instanceof SocketClient ? !client.connected : client.closed);
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
  while (!signal.aborted) {
    try {
      await Promise.race([client.connect(), stopped, late()]);
      await Promise.race([client.until(lost), stopped]);
    } catch {
      // Refused, or lost on the way: tried again.
    }
    client.drop();
    await sleep(50 + Math.random() * 100, undefined, { signal }).catch(() => undefined);
  }
}

async function late(): Promise<never> {
  await sleep(connectWithinMs, undefined, { ref: false });
  throw new Error('no answer');
}
