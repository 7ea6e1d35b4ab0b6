import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { problemAffectsResolutionKind } from '@arethetypeswrong/core/problems';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { publint } from 'publint';
import { build, type Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** What `npm pack` makes, as those get it who install it. */

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

let folder: string;
let tarball: Uint8Array<ArrayBuffer>;
let files: string[];

/** A project with the package in it, and what that needs from the one of ours. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokencast-package-'));
  const packing = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
    maxBuffer: 2 ** 24,
  });
  const [packed] = JSON.parse(packing.stdout) as { filename: string; files: { path: string }[] }[];
  if (!packed) throw new Error('nothing was packed');
  files = packed.files.map(({ path }) => path);
  const path = join(folder, packed.filename);
  tarball = new Uint8Array(await readFile(path));
  await mkdir(join(folder, 'node_modules/tokencast'), { recursive: true });
  await run('tar', ['-xzf', path, '-C', join(folder, 'node_modules/tokencast'), '--strip-components=1']);
  const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of [...Object.keys(dependencies), 'react', '@types/react', 'csstype']) {
    const link = join(folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(root, 'node_modules', name), link);
  }
  await writeFile(join(folder, 'package.json'), '{"name":"consumer","type":"module","private":true}');
});
afterAll(() => rm(folder, { recursive: true }));

test('the package holds the program, the page and the client with its types, and nothing of the workshop', () => {
  expect(files).toEqual(
    expect.arrayContaining([
      'LICENSE',
      'README.md',
      'package.json',
      'dist/src/main.js',
      'dist/src/main-api.js',
      'dist/src/cli/tokencast.js',
      'dist/src/redis/lua/append.lua',
      'dist/src/store/migrations/meta/_journal.json',
      'dist/workers/main.js',
      ...['client', 'react'].flatMap((name) => [`dist/src/${name}/index.js`, `dist/src/${name}/index.d.ts`]),
    ]),
  );
  const strangers = files.filter(
    (path) => !/^(dist\/(src|workers)|src\/(client|domain|react|wire)|web\/dist)\//.test(path),
  );
  expect(strangers.sort()).toEqual(['LICENSE', 'README.md', 'package.json']);
});

test('attw finds its types right wherever ES modules are imported', async () => {
  const analysis = await checkPackage(createPackageFromTarballData(tarball));
  if (!analysis.types) throw new Error('it has no types');
  const { problems, entrypoints } = analysis;
  expect(Object.keys(entrypoints)).toEqual(expect.arrayContaining(['./client', './react']));
  const kinds = ['node16-esm', 'bundler'] as const;
  expect(
    problems.filter((problem) => kinds.some((kind) => problemAffectsResolutionKind(problem, kind, analysis))),
  ).toEqual([]);
});

test('publint finds nothing to say', async () => {
  const { messages } = await publint({ pack: { tarball: tarball.buffer }, strict: true });
  expect(messages).toEqual([]);
});

describe('who has installed it', () => {
  test('compiles against it strictly, with either resolution, without the types of Node', async () => {
    await writeFile(
      join(folder, 'use.ts'),
      `import { ask, SessionTokens, TokencastError, TokencastHttp } from 'tokencast/client';
import { useConversation, useSelected } from 'tokencast/react';
const { token } = await new TokencastHttp({ baseUrl: 'http://127.0.0.1:1' }).createSession('Ada');
const tokens = new SessionTokens({ token });
const handle = (await ask('id', 'Hello', tokens)).addHandler('n', (delta, n: number | undefined) => (n ?? 0) + delta.length);
export const count: number | undefined = handle.results.n;
// @ts-expect-error: there is no such handler
handle.results.m;
handle.on('text', (delta, fullText) => delta + fullText);
// @ts-expect-error: there is no such event
handle.on('txt', () => undefined);
export const useTitle = (id: string): string | null =>
  useSelected(useConversation(id, tokens), (view) => view?.room?.conversation?.title ?? null);
export const isTyped = (error: unknown): boolean => error instanceof TokencastError && error.code === 'gave_up';
`,
    );
    const options = [
      '--strict',
      '--noEmit',
      '--target',
      'es2022',
      '--lib',
      'es2023,dom',
      '--skipLibCheck',
      'false',
    ];
    for (const how of [
      ['--module', 'nodenext', '--moduleResolution', 'nodenext'],
      ['--module', 'esnext', '--moduleResolution', 'bundler'],
    ]) {
      const compiling = run(
        process.execPath,
        [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...how, 'use.ts'],
        { cwd: folder },
      ).catch((error: unknown) => error as { stdout: string });
      expect((await compiling).stdout).toBe('');
    }
  });

  test('imports it in plain Node, and runs the command', async () => {
    const script =
      "import { GenerationHandle } from 'tokencast/client'; import { useSelected } from 'tokencast/react'; console.log(typeof GenerationHandle, typeof useSelected)";
    const imported = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: folder });
    expect(imported.stdout.trim()).toBe('function function');
    const program = join(folder, 'node_modules/tokencast/dist/src/cli/tokencast.js');
    const help = await run(process.execPath, [program, '--help'], { cwd: folder });
    expect(help.stdout).toContain('Usage: tokencast');
  });

  /** The module that a bundler makes of this, and what it still imports. */
  const bundle = async (source: string) => {
    const entry = join(folder, 'entry.js');
    await writeFile(entry, source);
    const made = (await build({
      configFile: false,
      logLevel: 'error',
      root: folder,
      build: {
        write: false,
        minify: true,
        target: 'es2022',
        // Not as a library: those keep their white space.
        rolldownOptions: {
          input: entry,
          preserveEntrySignatures: 'strict',
          external: ['socket.io-client', /^node:/],
        },
      },
    })) as Rolldown.RolldownOutput;
    const [chunk] = made.output;
    return { imports: chunk.imports, gzipBytes: gzipSync(chunk.code).length };
  };

  test('carries less than 15 KB of the client, gzipped, beside socket.io-client, and nothing of Node', async () => {
    const { imports, gzipBytes } = await bundle("export * from 'tokencast/client'");
    expect(imports).toEqual(['socket.io-client']);
    expect(gzipBytes).toBeLessThan(15 * 1024);
  });

  test('carries only what is used of it', async () => {
    const { imports, gzipBytes } = await bundle("export { TokencastError } from 'tokencast/client'");
    expect(imports).toEqual([]);
    expect(gzipBytes).toBeLessThan(1024);
  });
});
