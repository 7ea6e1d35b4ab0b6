import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownPort } from '../../../test/support/own-port.js';
import { temporaryDataDir } from '../../../test/support/temporary-data-dir.js';
import { portOf } from '../../lib/port-of.js';
import { RawWebSocket } from '../../lib/raw-web-socket.js';
import { endingWithThis, type Server } from '../server.js';
import { eventOf, roomNames, type FanOutSystem } from '../system.js';

const nginx = '/usr/sbin/nginx';
/** Where Debian's `libnginx-mod-nchan` puts it. */
const module = '/usr/lib/nginx/modules/ngx_nchan_module.so';
const readyWithinMs = 5000;
/** Messages that it keeps of a channel; more than a client is behind, as it may pass over what it keeps no longer. */
const bufferLength = 1000;

export const isNchanInstalled = existsSync(nginx) && existsSync(module);

/** nginx with nchan, which is told of chunks over a WebSocket for each room. */
export const startNchan =
  (store: 'memory' | 'redis'): FanOutSystem['start'] =>
  async ({ redisUrl }, rooms) => {
    const port = await ownPort();
    const server = await startNginx(port, store === 'redis' ? portOf(redisUrl) : undefined);
    const names = roomNames(rooms);
    const publishers = await Promise.all(names.map((name) => openPublisher(port, name)));
    return {
      pid: server.pid,
      doors: names.map((name) => ({ by: 'silent web socket', port, path: `/subscribe/${name}` })),
      write: async (room, text) => publishers[room]?.write(JSON.stringify(eventOf(names[room] ?? '', text))),
      stop: async () => {
        for (const publisher of publishers) publisher.cut();
        await server.end();
      },
    };
  };

/** Resolves with nginx's one worker once it takes chunks. */
async function startNginx(port: number, redisPort: number | undefined): Promise<Server> {
  const dir = await temporaryDataDir();
  const configuration = join(dir, 'nginx.conf');
  await writeFile(configuration, configurationOf(port, redisPort));
  const master = spawn(nginx, ['-p', dir, '-e', 'stderr', '-c', configuration], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  // It takes its worker with it.
  const end = endingWithThis(master, 'SIGTERM');
  const deadline = performance.now() + readyWithinMs;
  while (!(await isReady(port))) {
    if (master.exitCode !== null || performance.now() > deadline) throw new Error('nginx did not start');
    await sleep(20);
  }
  const { pid = 0 } = master;
  const [worker, ...others] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
  if (worker === undefined || others.length > 0) throw new Error('nginx has more than one worker');
  return {
    pid: Number(worker),
    end: async () => {
      await end();
      await rm(dir, { recursive: true });
    },
  };
}

function configurationOf(port: number, redisPort: number | undefined): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const pass = redisPort === undefined ? '' : 'nchan_redis_pass redis;';
  return `
    load_module ${module};
    daemon off;
    pid nginx.pid;
    worker_processes 1;
    error_log stderr warn;
    events { worker_connections 4096; }
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${name};`).join('\n')}
      ${redisPort === undefined ? '' : `upstream redis { nchan_redis_server redis://127.0.0.1:${redisPort}; }`}
      nchan_message_buffer_length ${bufferLength};
      server {
        listen 127.0.0.1:${port};
        location ~ ^/publish/(.+)$ { nchan_publisher http websocket; nchan_channel_id $1; ${pass} }
        location ~ ^/subscribe/(.+)$ { nchan_subscriber websocket; nchan_channel_id $1; ${pass} }
      }
    }`;
}

/** Asks about a channel that there is not; 503 as long as Redis is not there. */
async function isReady(port: number): Promise<boolean> {
  try {
    const { status } = await fetch(`http://127.0.0.1:${port}/publish/none`);
    return status === 404;
  } catch {
    return false;
  }
}

interface Publisher {
  /** Resolves when nchan has answered. */
  write: (text: string) => Promise<void>;
  cut: () => void;
}

function openPublisher(port: number, room: string): Promise<Publisher> {
  return new Promise((resolve, reject) => {
    const waiting: (() => void)[] = [];
    const webSocket = new RawWebSocket(
      { port, path: `/publish/${room}` },
      {
        onOpen: () => {
          resolve(publisher);
        },
        // Each message is answered, in order, with what the channel holds.
        onMessage: () => waiting.shift()?.(),
        onFailed: reject,
      },
    );
    const publisher: Publisher = {
      write: (text) =>
        new Promise((taken) => {
          waiting.push(taken);
          webSocket.say(text);
        }),
      cut: () => {
        webSocket.cut();
      },
    };
  });
}
