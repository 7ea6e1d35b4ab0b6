import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new empty folder that an embedded Postgres can be kept in, also where root runs the tests. */
export async function temporaryDataDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'tokencast-test-'));
  await chmod(dir, 0o711);
  return dir;
}
