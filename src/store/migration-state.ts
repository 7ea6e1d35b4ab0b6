import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import pg from 'pg';

/** How a database stands, for who looks after it. */
export interface DatabaseState {
  /** As in 17.2 → 170002. */
  version: number;
  /** A standby, which takes no writes. */
  readOnly: boolean;
  maxConnections: number;
  /** Null: this program has never started on it. */
  migrations: { applied: number; pending: number; ofNewerPrograms: number } | null;
}

/** Looks at a database and changes nothing. @throws the driver's error where it cannot be reached within 5 s */
export async function readDatabaseState(url: string): Promise<DatabaseState> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000, query_timeout: 5000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows: settings } = await client.query<{ version: string; standby: boolean; connections: string }>(
      `select current_setting('server_version_num') as version, pg_is_in_recovery() as standby,
              current_setting('max_connections') as connections`,
    );
    const { rows: table } = await client.query<{ name: string | null }>(
      `select to_regclass('drizzle.__drizzle_migrations')::text as name`,
    );
    const [found] = settings;
    return {
      version: Number(found?.version),
      readOnly: found?.standby ?? false,
      maxConnections: Number(found?.connections),
      migrations: table[0]?.name == null ? null : await compare(client),
    };
  } finally {
    await client.end();
  }
}

/** A migration is known by its time. */
async function compare(client: pg.Client): Promise<DatabaseState['migrations']> {
  const migrationsFolder = fileURLToPath(new URL('./migrations', import.meta.url));
  const ours = new Set(readMigrationFiles({ migrationsFolder }).map(({ folderMillis }) => folderMillis));
  const { rows } = await client.query<{ time: string }>(
    'select created_at::text as time from drizzle.__drizzle_migrations',
  );
  const applied = new Set(rows.map(({ time }) => Number(time)));
  return {
    applied: applied.size,
    pending: [...ours].filter((time) => !applied.has(time)).length,
    ofNewerPrograms: [...applied].filter((time) => !ours.has(time)).length,
  };
}
