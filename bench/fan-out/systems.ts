import type { FanOutSystem } from './system.js';
import { startFed } from './systems/fed.js';
import { isNchanInstalled, startNchan } from './systems/nchan.js';
import { startSocketIo } from './systems/socket-io.js';
import { startTokencast } from './systems/tokencast.js';

const nchan: readonly FanOutSystem[] = [
  { name: 'nchan, memory', start: startNchan('memory') },
  { name: 'nchan, Redis', start: startNchan('redis') },
];

/** All that are compared; the first one is the limit. */
export const systems: readonly FanOutSystem[] = [
  { name: 'bare ws', start: startFed('bare-ws', 'silent web socket') },
  { name: 'tokencast', start: startTokencast(true) },
  { name: 'tokencast, by the engine', start: startTokencast(false) },
  { name: 'Socket.IO, redis-adapter', start: startSocketIo('pub/sub') },
  { name: 'Socket.IO, streams adapter', start: startSocketIo('streams') },
  { name: 'resumable-stream, over HTTP', start: startFed('resumable-stream', 'event stream') },
  ...(isNchanInstalled ? nchan : []),
];

/** Says so where some are left out. */
export const leftOut = isNchanInstalled
  ? ''
  : 'nchan is left out: nginx and Debian’s `libnginx-mod-nchan` are not installed here.';
