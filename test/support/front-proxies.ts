import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownPort } from './own-port.js';

export type FrontProxyKind = 'nginx' | 'caddy' | 'apache';

/** One of the proxies of `ops/`, with its configuration as it is shipped but for addresses and the places of its files. */
export interface FrontProxy {
  readonly url: string;
  stop(): Promise<void>;
}

interface Recipe {
  /** Where Debian puts it. */
  program: string;
  shipped: string;
  /** The whole configuration around the shipped one, for a process of one's own below `folder`. */
  wrap: (shipped: string, folder: string, port: number) => string;
  args: (file: string, folder: string) => string[];
}

const isRoot = process.getuid?.() === 0;
const modules = '/usr/lib/apache2/modules';

const recipes: Record<FrontProxyKind, Recipe> = {
  nginx: {
    program: '/usr/sbin/nginx',
    shipped: 'ops/nginx/tokencast.conf',
    wrap: (shipped, folder, port) => `
      daemon off; ${isRoot ? 'user root;' : ''} worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
      events { worker_connections 256; }
      http {
        client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
        fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
        gzip on; gzip_types *; gzip_proxied any; # as many have it: the shipped part has to stand it
        ${shipped.replace('listen 80;', `listen 127.0.0.1:${port};`).replaceAll('/var/log/nginx/', `${folder}/`)}
      }`,
    args: (file, folder) => ['-c', file, '-p', folder, '-e', join(folder, 'error.log')],
  },
  caddy: {
    program: '/usr/bin/caddy',
    shipped: 'ops/caddy/Caddyfile',
    wrap: (shipped, _folder, port) =>
      `{\n\tadmin off\n}\n${shipped.replace('tokencast.example.com', `http://127.0.0.1:${port}`)}`,
    args: (file) => ['run', '--config', file, '--adapter', 'caddyfile'],
  },
  apache: {
    program: '/usr/sbin/apache2',
    shipped: 'ops/apache/tokencast.conf',
    wrap: (shipped, folder, port) =>
      [
        ...['mpm_event', 'authz_core', 'setenvif', 'headers', 'proxy', 'proxy_http', 'deflate', 'filter'].map(
          (name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`,
        ),
        ...(isRoot ? ['User www-data', 'Group www-data'] : []),
        `ServerName localhost\nListen 127.0.0.1:${port}\nPidFile ${folder}/pid\nDefaultRuntimeDir ${folder}`,
        `ErrorLog ${folder}/error.log\nSetOutputFilter DEFLATE`,
        shipped.replace('*:80', `127.0.0.1:${port}`).replaceAll('/var/log/apache2/', `${folder}/`),
      ].join('\n'),
    args: (file) => ['-f', file, '-D', 'FOREGROUND'],
  },
};

const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGTERM');
});

export const hasFrontProxy = (kind: FrontProxyKind): boolean => existsSync(recipes[kind].program);

/** Starts a proxy in front of a server. Resolves once that answers through it; fails with the proxy's last words. */
export async function startFrontProxy(kind: FrontProxyKind, target: string): Promise<FrontProxy> {
  const { program, shipped, wrap, args } = recipes[kind];
  const [folder, port] = await Promise.all([mkdtemp(join(tmpdir(), `tokencast-${kind}-`)), ownPort()]);
  const asShipped = await readFile(shipped, 'utf8');
  const pointed = asShipped.replaceAll('127.0.0.1:3000', new URL(target).host);
  if (pointed === asShipped) throw new Error(`${shipped} does not name 127.0.0.1:3000`);
  const file = join(folder, 'config');
  await writeFile(file, wrap(pointed, folder, port));
  const env = { PATH: process.env.PATH ?? '', HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = spawn(program, args(file, folder), { env, stdio: ['ignore', 'ignore', 'pipe'] });
  alive.add(child);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (said += piece));
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    alive.delete(child);
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + 20_000;
  for (;;) {
    const response = await fetch(`${url}/healthz`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return { url, stop };
    if (child.exitCode === null && Date.now() < deadline) {
      await sleep(50);
      continue;
    }
    const log = await readFile(join(folder, 'error.log'), 'utf8').catch(() => '');
    await stop();
    throw new Error(`${kind} did not get ready:\n${said}\n${log}`);
  }
}
