import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/embedded/postgres.js';
import { findRedis } from '../../src/embedded/redis.js';
import { createLogger } from '../../src/lib/logger.js';
import { connectRedis, whenReady } from '../../src/redis/connect.js';
import { migrateDatabase } from '../../src/store/database.js';
import { giveKeyToPostgres, makeCertificates, type Certificates } from '../support/certificates.js';
import { Person } from '../support/person.js';
import { RedisServer } from '../support/redis-servers.js';
import { startSystem } from '../support/system.js';
import { temporaryDataDir } from '../support/temporary-data-dir.js';

const hasOpenssl = await promisify(execFile)('openssl', ['version']).then(
  () => true,
  () => false,
);

/** Both stores over TLS alone, with certificates of an authority that only we know. */
describe.runIf(hasOpenssl && (await findRedis()) === 'redis-server')('over TLS', () => {
  const log = createLogger({ level: 'silent', role: 'test' });
  let dir: string;
  let certificates: Certificates;
  let redis: RedisServer;
  let postgres: EmbeddedPostgres;
  let databaseUrl: (sslmode: string, ca?: string) => string;

  beforeAll(async () => {
    dir = await temporaryDataDir();
    certificates = await makeCertificates(dir);
    const { ca, server, client } = certificates;
    const [caPem, cert, key] = await Promise.all(
      [ca, client.cert, client.key].map((path) => readFile(path, 'utf8')),
    );
    redis = await RedisServer.start(
      (port) => ({
        port: '0',
        'tls-port': String(port),
        'tls-ca-cert-file': ca,
        'tls-cert-file': server.cert,
        'tls-key-file': server.key,
      }),
      { connection: { tls: { ca: caPem, cert, key } } },
    );
    await giveKeyToPostgres(server.key);
    postgres = await startEmbeddedPostgres({
      dataDir: dir,
      log,
      settings: { ssl: 'on', ssl_cert_file: server.cert, ssl_key_file: server.key },
    });
    databaseUrl = (sslmode, trusted = ca) => {
      const url = new URL(postgres.url);
      url.hostname = 'localhost';
      url.searchParams.set('sslmode', sslmode);
      url.searchParams.set('sslrootcert', trusted);
      return url.href;
    };
  });
  afterAll(async () => {
    await Promise.all([redis.dispose(), postgres.close()]);
    await rm(dir, { recursive: true, force: true });
  });

  test('a question is answered, and no connection to a store is plain', async () => {
    const { ca, client } = certificates;
    const system = await startSystem({
      redisUrl: `rediss://localhost:${redis.port}`,
      databaseUrl: databaseUrl('verify-full'),
      env: { REDIS_TLS_CA_FILE: ca, REDIS_TLS_CERT_FILE: client.cert, REDIS_TLS_KEY_FILE: client.key },
    });
    const asked = new pg.Client({ connectionString: databaseUrl('verify-full') });
    try {
      const ada = await Person.signIn(system.api(), 'Ada');
      const conversationId = await ada.converse();
      const socket = ada.socket(conversationId);
      await socket.connect();
      const { generation } = await ada.ask(conversationId, 'What is a queue?');
      const { message } = await socket.ended(generation.id);
      expect(message?.status).toBe('complete');
      expect(socket.written(generation.id)).toBe(message?.text);
      ada.leave();
      await asked.connect();
      const { rows } = await asked.query<{ ssl: boolean }>(
        `select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'tokencast'`,
      );
      expect(rows).toEqual([{ ssl: true }]);
    } finally {
      await asked.end();
      await system.stop();
    }
  });

  test('a Redis of an unknown authority is refused, and so are we without a certificate', async () => {
    const url = `rediss://127.0.0.1:${redis.port}`;
    const unknown = connectRedis(url, 'commands', log);
    const nameless = connectRedis(url, 'commands', log, { ca: await readFile(certificates.ca, 'utf8') });
    try {
      await expect(whenReady(unknown, 1500)).rejects.toThrow(/certificate/);
      await expect(whenReady(nameless, 1500)).rejects.toThrow(/certificate required|did not answer/);
    } finally {
      unknown.disconnect();
      nameless.disconnect();
    }
  });

  test('a Postgres of an unknown authority is refused', async () => {
    await expect(migrateDatabase(databaseUrl('verify-full', certificates.client.cert))).rejects.toThrow(
      /certificate/,
    );
  });
});
