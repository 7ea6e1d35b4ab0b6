import type { Authenticate } from '../domain/session.js';
import type { Logger } from '../lib/logger.js';
import type { RoomHub } from '../redis/room-hub.js';
import type { RoomLog } from '../redis/room-log.js';
import type { Database } from '../store/database.js';
import type { StreamHost } from './event-stream.js';
import type { Turns } from '../lib/turns.js';
import type { LogReader } from './log-reader.js';
import type { Memberships } from './memberships.js';
import type { PresenceTracker } from './presence-tracker.js';
import type { Snapshots } from './snapshots.js';
import type { SocketHost } from './socket-sink.js';

/** What sockets and event streams share; made once in each api process. */
export interface Gateway extends StreamHost, SocketHost {
  db: Database;
  memberships: Memberships;
  roomLog: RoomLog;
  hub: RoomHub;
  reader: LogReader;
  snapshots: Snapshots;
  presence: PresenceTracker;
  authenticate: Authenticate;
  /** For what crowds of clients ask for at once: chunks go between. */
  turns: Turns;
  log: Logger;
}
