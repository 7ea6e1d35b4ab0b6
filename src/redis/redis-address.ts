/** Where Redis is: one server, the nodes of a Redis Cluster, or the Sentinels that know the master of a name. */
export type RedisAddress =
  | { kind: 'server'; url: string }
  | ({ kind: 'cluster' } & Servers)
  | ({
      kind: 'sentinel';
      name: string;
      db: number | undefined;
      sentinelPassword: string | undefined;
    } & Servers);

interface Servers {
  servers: { host: string; port: number }[];
  username: string | undefined;
  password: string | undefined;
  tls: boolean;
}

const form =
  /^redis(?<tls>s?)-(?<kind>cluster|sentinel):\/\/(?:(?<user>[^:@/]*)(?::(?<password>[^@/]*))?@)?(?<servers>[^/?@]+)(?:\/(?<path>[^?]*))?(?:\?(?<query>.*))?$/;

const defaultPorts = { cluster: 6379, sentinel: 26_379 };

/**
 * Reads a `REDIS_URL`: `redis://…` as ioredis takes it, `redis-cluster://user:password@host:port,host:port`, or
 * `redis-sentinel://user:password@host:port,host:port/<name of the master>?db=1&sentinelPassword=…`; with `rediss` in the
 * place of `redis` over TLS.
 *
 * @throws Error that names the fault, never a part of the URL
 */
export function readRedisUrl(url: string): RedisAddress {
  if (/^rediss?:\/\/\S+$/.test(url)) return { kind: 'server', url };
  const { tls, kind, user, password, servers = '', path = '', query } = form.exec(url)?.groups ?? {};
  if (kind !== 'cluster' && kind !== 'sentinel') throw new Error('it has none of the forms');
  const common = {
    servers: servers.split(',').map((server) => readServer(server, defaultPorts[kind])),
    username: user ? decodeURIComponent(user) : undefined,
    password: password ? decodeURIComponent(password) : undefined,
    tls: tls === 's',
  };
  if (kind === 'cluster') {
    if (path) throw new Error('a cluster has one database alone');
    return { kind, ...common };
  }
  if (!path) throw new Error('the name of the master is missing');
  const parameters = new URLSearchParams(query);
  const db = parameters.get('db');
  if (db !== null && !/^\d{1,6}$/.test(db)) throw new Error('db is no number');
  return {
    kind,
    name: decodeURIComponent(path),
    db: db === null ? undefined : Number(db),
    sentinelPassword: parameters.get('sentinelPassword') ?? undefined,
    ...common,
  };
}

function readServer(server: string, defaultPort: number): { host: string; port: number } {
  const [, ipv6, name, port] = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(server) ?? [];
  const host = ipv6 ?? name;
  if (host === undefined || Number(port) > 65_535) throw new Error('one of the servers is no host:port');
  return { host, port: port === undefined ? defaultPort : Number(port) };
}
