import { Gauge, type Registry } from 'prom-client';
import type { Subscriptions } from '../redis/subscriber.js';
import type { Gateway } from './gateway.js';

/** Registers what tells how many watch, how far they are behind, and whether anything of them was left behind. */
export function registerGatewayMetrics(
  registry: Registry,
  { hub, presence, sockets, streams, maxPendingBytes }: Gateway,
  subscriber: Subscriptions,
): void {
  const gauge = (name: string, help: string, measure: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(measure());
      },
    });
  const clients = () => [...sockets, ...streams];

  gauge('tokencast_sockets', 'Socket.IO clients connected to this process.', () => sockets.size);
  gauge('tokencast_event_streams', 'Event streams open in this process.', () => streams.size);
  gauge('tokencast_watchers', 'Watches of rooms, over all clients.', () => hub.watchers);
  gauge('tokencast_present', 'Watches of conversations that are told as presence.', () => presence.size);
  gauge('tokencast_rooms_watched', 'Rooms that somebody watches through this process.', () => hub.size);
  gauge('tokencast_subscriptions', 'Channels of Redis that this process listens to.', () => subscriber.size);
  gauge(
    'tokencast_clients_behind',
    `Clients with more than ${maxPendingBytes} bytes waiting, which get nothing more until they have drained.`,
    () => clients().filter(({ congested }) => congested).length,
  );
  gauge('tokencast_pending_bytes', 'What waits for clients, over all of them.', () =>
    clients().reduce((sum, { pendingBytes }) => sum + pendingBytes, 0),
  );
}
