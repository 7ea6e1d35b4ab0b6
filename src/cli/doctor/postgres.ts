import { readDatabaseState } from '../../store/migration-state.js';
import { reasonOf } from './reason-of.js';
import { broken, hint, ok, type Finding } from './finding.js';

const oldestVersion = 140_000;
/** What two apis and two workers may take. */
const fewConnections = 90;

/** Looks at the Postgres of `DATABASE_URL`; undefined: the embedded one. */
export async function checkPostgres(url: string | undefined): Promise<Finding[]> {
  if (url === undefined) return [ok('Postgres: embedded, since DATABASE_URL is not set')];
  try {
    return findings(await readDatabaseState(url));
  } catch (error) {
    return [
      broken(
        `Postgres cannot be used: ${reasonOf(error)}`,
        'Check DATABASE_URL (user, password, host, port, database), that Postgres runs, and that this machine may reach it.',
      ),
    ];
  }
}

function findings({
  version,
  readOnly,
  maxConnections,
  migrations,
}: Awaited<ReturnType<typeof readDatabaseState>>): Finding[] {
  const named = `Postgres ${Math.floor(version / 10_000)}.${version % 10_000}`;
  const found: Finding[] = [
    version < oldestVersion
      ? broken(`${named} is too old`, 'Upgrade it to version 14 or later.')
      : ok(`${named} answers`),
  ];
  if (readOnly)
    found.push(broken('Postgres is a standby, which takes no writes', 'Point DATABASE_URL at the primary.'));
  if (maxConnections < fewConnections)
    found.push(
      hint(
        `Postgres lets in ${maxConnections} connections`,
        'A process of Tokencast takes up to 22: raise max_connections, or run fewer processes.',
      ),
    );
  if (!migrations) found.push(ok('Postgres: empty; the first start makes the tables'));
  else if (migrations.ofNewerPrograms > 0)
    found.push(
      broken(
        'The database was migrated by a newer Tokencast than this one',
        'Run the newer version, or restore the backup from before the upgrade.',
      ),
    );
  else if (migrations.pending > 0)
    found.push(
      hint(
        `${migrations.pending} migrations are not applied yet`,
        'The next start applies them: back up first.',
      ),
    );
  else found.push(ok(`Postgres: all ${migrations.applied} migrations are applied`));
  return found;
}
