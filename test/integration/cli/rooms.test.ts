import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { spawn } from 'node:child_process';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerTo } from '../../support/document-model.js';
import { runCli, startCli } from '../../support/cli.js';
import { ownPort } from '../../support/own-port.js';
import { openScene, type Scene } from '../../support/scene.js';
import { createTestDatabase, testKeyPrefix, testRedisUrl } from '../../support/stores.js';

/** `tokencast send`, `chat`, `watch` and `cancel` as processes, as people run them. */

let scene: Scene;
let home: string;
let env: Record<string, string>;

beforeAll(async () => {
  scene = await openScene();
  home = await mkdtemp(join(tmpdir(), 'tokencast-cli-'));
  env = { XDG_CONFIG_HOME: home, TOKENCAST_URL: scene.system.api().url };
});
afterAll(async () => {
  await scene.close();
  await rm(home, { recursive: true });
});

const roomIn = (text: string) => /conversation:[0-9a-f-]{36}/.exec(text)?.[0] ?? 'no room';

test('send shows the answer alone on its output, as it comes, and its room and figures beside', async () => {
  const sending = startCli(['send', 'what', 'is', 'sent'], env);
  const model = await scene.modelFor('what is sent');
  model.text('It is ');
  await sending.writes('It is ');
  model.text('this \u001b[31m.').stop();
  const { code, out, said } = await sending.ended;
  expect({ code, out }).toEqual({ code: 0, out: 'It is this \u001b[31m.\n' }); // no terminal: not one byte is changed
  expect(said).toMatch(
    /^room conversation:\S+\nclaude-sonnet-4-5 · first text after .* · 4 words · .*tokens.*\$/,
  );

  // The guest is kept: the next question is asked in the same room, and a stranger cannot.
  const room = roomIn(said);
  scene.upstream.answerWith('One two three four five.\n\n    code that is longer than a line');
  const second = await runCli(
    ['send', '--room', room, '--wrap', '12', '--typewriter', '-q'],
    env,
    'from stdin',
  );
  expect(second).toEqual({
    code: 0,
    said: '',
    out: 'One two\nthree four\nfive.\n\n    code\n    that is\n    longer\n    than a\n    line\n',
  });
  expect(await runCli(['send', '--room', room, '--name', 'Eve', 'hello'], env)).toEqual({
    code: 1,
    out: '',
    said: 'There is no such conversation.\n',
  });
  expect(await readdir(join(home, 'tokencast'))).toEqual(['guests.json']);
  expect((await stat(join(home, 'tokencast', 'guests.json'))).mode & 0o777).toBe(0o600);
  scene.upstream.answerByHand();
});

test('send tells how far it is; Ctrl-C cancels the answer and keeps what there is of it', async () => {
  const sending = startCli(['send', '--progress', 'to be stopped'], env);
  const model = await scene.modelFor('to be stopped');
  model.text('word '.repeat(3000));
  await sending.writes('word word');
  while (!model.ended && sending.child.exitCode === null) {
    sending.child.kill('SIGINT');
    await model.closed;
  }
  const { code, out, said } = await sending.ended;
  expect(code).toBe(130);
  expect(out).toBe(`${'word '.repeat(3000)}\n`);
  expect(said).toMatch(/\d+% \S+, \d+ words\n/);
  expect(said).toContain('\ncancelled · claude-sonnet-4-5');
});

test('send says in a line what is wrong, and fails', async () => {
  const nothing = await runCli(['send'], env);
  expect(nothing).toEqual({ code: 1, out: '', said: 'There is nothing to send.\n' });
  const model = await runCli(['send', '-q', '--model', 'none-such', 'hello'], env);
  expect(model).toMatchObject({ code: 1, out: '' });
  expect(model.said).toMatch(/^[^\n]*none-such[^\n]*\n$/);
  const token = await runCli(['send', '--token', 'none', 'hello'], env);
  expect(token.code).toBe(1);
  expect(token.said.split('\n')).toHaveLength(2);
  expect((await runCli(['send', '--wrap', 'wide', 'hello'], env)).said).toContain('It has to be a number');
  expect(await runCli(['watch', 'somewhere'], env)).toMatchObject({
    code: 1,
    said: expect.stringContaining('is no room') as string,
  });
});

test('several people talk in a room; each sees it all, and Ctrl-C stops the answer first, then leaves', async () => {
  const ada = startCli(['chat', '--name', 'Ada'], env);
  ada.enter('/invite');
  const room = roomIn(await ada.writes('/invite/'));
  const link = /http\S+\/invite\/\S+/.exec(await ada.writes('good until'))?.[0] ?? '';
  const ben = startCli(['chat', link, '--name', 'Ben'], env);
  await ada.writes('[Ben is here]');
  ben.enter('/say only for Ada');
  await ada.writes('Ben: only for Ada');
  ada.enter('a question');
  const model = await scene.modelFor('a question');
  expect(JSON.stringify(model.body.messages)).toContain('only for Ada');
  await ben.writes('Ada: a question');
  model.text('A whole paragraph.\n\nAnd **one that');
  for (const each of [ada, ben]) await each.writes('assistant to Ada:\nA whole paragraph.\n\n');

  const watching = startCli(['watch', room, '--name', 'Ben'], env);
  await watching.writes('A whole paragraph.');
  ada.child.kill('SIGINT');
  await model.closed;
  for (const each of [ada, ben, watching])
    expect(await each.writes('[cancelled · ')).toContain('And **one that\n');
  expect(ada.child.exitCode).toBeNull();
  ada.child.kill('SIGINT');
  expect(await ada.ended).toMatchObject({ code: 0, said: '' });
  await ben.writes('[Ada has gone]');
  ben.enter('/people');
  await ben.writes('Ada (owner), Ben (member, here)');
  ben.enter('/dance');
  await ben.writes('There is no /dance.');
  ben.enter('the last question');
  const last = await scene.modelFor('the last question');
  ben.close(); // what was asked is answered first
  last.text('The last answer.').stop();
  const end = await ben.ended;
  expect(end).toMatchObject({ code: 0, said: '' });
  expect(end.out).toContain('assistant to Ben:\nThe last answer.\n[claude-sonnet-4-5 · ');

  await watching.writes('The last answer.');
  watching.child.kill('SIGINT');
  expect((await watching.ended).code).toBe(130);
});

test.runIf(existsSync('/usr/bin/script'))(
  'on a terminal Markdown is shown, redrawn as it comes',
  async () => {
    const said = 'Some **bold';
    scene.upstream.answerWith(`${said} words** and \u001b]0;a title\u0007.\n\n- one\n- two`);
    const command = `${process.execPath} dist/src/cli/tokencast.js chat --name Ada`;
    const child = spawn('script', ['-qec', `stty cols 80 rows 30; ${command}`, '/dev/null'], {
      env: { PATH: process.env.PATH ?? '', TERM: 'xterm-256color', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let out = '';
    const all = textOf(
      child.stdout.setEncoding('utf8').on('data', (piece: string) => {
        if (!out.includes('> ') && (out + piece).includes('> ')) child.stdin.write('markdown, please\r');
        if (!out.includes('tokens/s') && (out + piece).includes('tokens/s')) child.stdin.write('/quit\r');
        out += piece;
      }),
    );
    const shown = await all;
    scene.upstream.answerByHand();
    expect(shown).not.toContain('\u001b]0;'); // what others write does not steer the terminal
    const text = stripVTControlCharacters(shown).replaceAll('\r', '');
    expect(text).toContain('Ada: markdown, please\n');
    expect(text).toMatch(/Some bold words and \]0;a title\.\n\n/);
    expect(text).toMatch(/\* one\n\s+\* two/);
    expect(text).not.toContain('**');
  },
);

test('a document is watched to its end, and its report is shown', async () => {
  const { id } = await scene.ada.upload('alice.txt');
  scene.upstream.answerWith((body) => [answerTo(body)]);
  const { code, out } = await runCli(['watch', id, '--token', scene.ada.token], env);
  scene.upstream.answerByHand();
  expect(code).toBe(0);
  expect(out).toMatch(/alice\.txt: begun\n/);
  expect(out).toMatch(/section 4 of 4, .*: done\n/);
  expect(out).toContain('alice.txt: completed\n');
  expect(out).toContain('A summary of 4 sections.');
});

test('an answer, a conversation and a document are cancelled by their ids', async () => {
  const token = ['--token', scene.ada.token];
  const first = await scene.ask();
  expect(await runCli(['cancel', first.generation.id, ...token], env)).toEqual({
    code: 0,
    out: 'The answer is being stopped.\n',
    said: '',
  });
  await first.model.closed;
  const second = await scene.ask();
  const room = `conversation:${second.conversationId}`;
  expect((await runCli(['cancel', room, ...token], env)).out).toBe('1 answer is being stopped.\n');
  await second.model.closed;
  await scene.ada.ended(second.generation.id);
  expect((await runCli(['cancel', room, ...token], env)).out).toBe('Nothing is being answered there.\n');
  const ended = await runCli(['cancel', `generation:${second.generation.id}`, ...token], env);
  expect(ended).toMatchObject({ code: 1, out: '' });
  expect(ended.said).toMatch(/ended/);
  const { id } = await scene.ada.upload('gettysburg.html');
  expect((await runCli(['cancel', id, ...token], env)).out).toBe(
    'The document’s analysis is being stopped.\n',
  );
  const watched = await runCli(['watch', `document:${id}`, ...token], env);
  expect(watched).toMatchObject({
    code: 1,
    out: expect.stringContaining('gettysburg.html: cancelled\n') as string,
  });
}, 120_000);

test('start is npm start, with its settings and what it says of wrong ones', async () => {
  const wrong = await runCli(['start'], { PORT: 'many' });
  expect(wrong).toMatchObject({ code: 1, out: '' });
  expect(wrong.said).toMatch(/^PORT must be a whole number/);

  const [database, port] = await Promise.all([createTestDatabase(), ownPort()]);
  try {
    const starting = startCli(['start'], {
      PORT: String(port),
      DATA_DIR: join(home, 'data'),
      DATABASE_URL: database.url,
      REDIS_URL: testRedisUrl(),
      REDIS_KEY_PREFIX: testKeyPrefix(),
    });
    expect(await starting.writes('Ctrl-C')).toContain(`http://127.0.0.1:${port}`);
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    starting.child.kill('SIGINT');
    const { code, said } = await starting.ended;
    expect(said).not.toContain('Warning');
    expect(code).toBe(0);
  } finally {
    await database.dispose();
  }
});
