import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Document } from '../../../src/client/index.js';
import { answerTo, isStep, stepOf } from '../../support/document-model.js';
import { fixturePath } from '../../support/fixtures.js';
import { openScene, type Scene } from '../../support/scene.js';

/** `tokencast analyse` as a process, as people run it. */

let scene: Scene;
let folder: string;

beforeAll(async () => {
  scene = await openScene({ env: { DOCUMENT_SECTIONS_AT_ONCE: '1' } });
  folder = await mkdtemp(join(tmpdir(), 'tokencast-cli-'));
  await mkdir(join(folder, 'reports', 'old'), { recursive: true });
  for (const [from, to] of [
    ['alice.txt', 'alice.txt'],
    ['gettysburg.html', 'old/speech.html'],
    ['picture.png', 'picture.png'],
    ['walden-encrypted.pdf', 'locked.pdf'],
    ['alice.txt', '.hidden.txt'],
  ] as const)
    await cp(fixturePath(from), join(folder, 'reports', to));
});
afterAll(async () => {
  await scene.close();
  await rm(folder, { recursive: true });
});

function start(...more: string[]) {
  const args = [
    'dist/src/cli/tokencast.js',
    'analyse',
    join(folder, 'reports'),
    '--out',
    join(folder, 'results'),
  ];
  const child = spawn(process.execPath, [...args, '--url', scene.system.api().url, ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (said += piece));
  const ended = once(child, 'close').then(([code]: unknown[]) => ({ code, said }));
  /** Resolves once it has said so. */
  const says = async (words: string) => {
    while (!said.includes(words)) await once(child.stderr, 'data');
  };
  return { child, ended, says };
}
const results = async () => (await readdir(join(folder, 'results'), { recursive: true })).sort();
const resultOf = async (name: string) =>
  JSON.parse(await readFile(join(folder, 'results', `${name}.json`), 'utf8')) as Document;

test('a tree of files is worked through; Ctrl-C stops it, and another run goes on where it stopped', async () => {
  const { upstream } = scene;
  const first = start('--at-once', '4');
  const begun = [await upstream.nextRequest(isStep(0)), await upstream.nextRequest(isStep(0))];
  for (const request of begun) request.text(answerTo(request.body)).stop();
  const half = [await upstream.nextRequest(isStep(1)), await upstream.nextRequest(isStep(1))];
  await first.says('locked.pdf: failed: The PDF is encrypted');
  await first.says('picture.png: skipped: The file is image/png');
  first.child.kill('SIGINT');
  await Promise.all(half.map(({ closed }) => closed));
  const stopped = await first.ended;
  expect(stopped.code).toBe(130);
  expect(stopped.said).toContain('alice.txt: stopped');
  expect(stopped.said).toContain('Run the same command again to go on.');
  expect(await resultOf('alice.txt')).toMatchObject({ status: 'cancelled', progress: { sectionsDone: 1 } });

  const before = upstream.requests.length;
  upstream.answerWith((body) => [answerTo(body)]);
  const second = await start().ended;
  expect(second.code).toBe(1);
  expect(second.said).toContain('2 completed, 1 skipped, 1 failed.');
  // Of each the three sections that were left, and the phases.
  const asked = upstream.requests.slice(before).map(({ body }) => stepOf(body));
  expect(asked).toHaveLength(2 * (3 + 4));
  expect(asked).not.toContain(0);
  expect(await results()).toEqual([
    '.tokencast.json',
    'alice.txt.json',
    'alice.txt.md',
    'old',
    'old/speech.html.json',
    'old/speech.html.md',
  ]);
  expect(await resultOf('old/speech.html')).toMatchObject({ status: 'completed', name: 'speech.html' });
  expect(await readFile(join(folder, 'results', 'alice.txt.md'), 'utf8')).toContain(
    'A summary of 4 sections.',
  );

  // Once more there is nothing left to do.
  await rm(join(folder, 'reports', 'locked.pdf'));
  const third = await start().ended;
  expect(third).toMatchObject({ code: 0 });
  expect(upstream.requests).toHaveLength(before + asked.length);
  const { items } = await scene.ada.http.listDocuments();
  expect(items).toEqual([]); // they are the guest's who ran the command
}, 60_000);

test.runIf(existsSync('/usr/bin/script'))(
  'on a terminal there is a bar for each file and one for all, and nothing that was said is lost',
  async () => {
    scene.upstream.answerWith((body) => [answerTo(body)]);
    const command = [
      `${process.execPath} dist/src/cli/tokencast.js analyse ${fixturePath('alice.txt')} ${fixturePath('empty.txt')}`,
      `--out ${join(folder, 'terminal')} --url ${scene.system.api().url}`,
    ].join(' ');
    const child = spawn('script', ['-qec', `stty cols 120; ${command}`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const said = await textOf(child.stdout);
    expect(said).toMatch(/[█░]+ \d+% alice\.txt/); // its last state may be gone before it is drawn
    expect(said).toMatch(/█ 100% all files/);
    for (const line of [
      'alice.txt: done, 4 sections',
      'empty.txt: failed: The file is empty.',
      '1 completed, 1 failed.',
    ])
      expect(said).toContain(line);
  },
);

test('with another model a file is another document, and with a token they are its owner’s', async () => {
  scene.upstream.answerWith((body) => [answerTo(body)]);
  const { code } = await start('--model', 'claude-haiku-4-5', '--token', scene.ada.token).ended;
  expect(code).toBe(0);
  const { items } = await scene.ada.http.listDocuments();
  expect(items.map(({ name, status }) => [name, status]).sort()).toEqual([
    ['alice.txt', 'completed'],
    ['speech.html', 'completed'],
  ]);
}, 60_000);

test('a folder that is not there, a server that is not, a spoilt ledger, and wrong options are told in a line', async () => {
  const run = async (...args: string[]) => {
    const child = spawn(process.execPath, ['dist/src/cli/tokencast.js', 'analyse', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [said, [code]] = await Promise.all([
      textOf(child.stderr),
      once(child, 'close') as Promise<unknown[]>,
    ]);
    return { code, said };
  };
  const out = join(folder, 'none');
  const nowhere = await run(join(folder, 'nowhere'), '--out', out);
  expect(nowhere.code).toBe(1);
  expect(nowhere.said).toMatch(/^There is no .*nowhere\.\n$/);
  const nobody = await run(folder, '--out', out, '--url', 'http://127.0.0.1:1');
  expect(nobody).toEqual({ code: 1, said: 'The server cannot be reached.\n' });
  const slashed = await run(fixturePath('empty.txt'), '--out', out, '--url', `${scene.system.api().url}/`);
  expect(slashed.said).toContain('empty.txt: failed: The file is empty.');
  expect((await run(folder, '--out', out, '--url', 'here')).said).toContain('It has to begin with http');
  await writeFile(join(out, '.tokencast.json'), '{"url":');
  const spoilt = await run(folder, '--out', out);
  expect(spoilt.code).toBe(1);
  expect(spoilt.said).toMatch(/^\S+\.tokencast\.json is not as an earlier run has left it: [^\n]+\n$/);
  const wrong = await run(folder, '--out', out, '--at-once', 'many');
  expect(wrong.code).toBe(1);
  expect(wrong.said).toContain('It has to be a number');
});
