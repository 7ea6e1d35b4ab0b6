import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, preview, type PreviewServer } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Desk } from './browser.js';
import { Stage } from './stage.js';

const root = fileURLToPath(new URL('../../examples/vite-usechat', import.meta.url));

describe('the useChat example', () => {
  const stage = Stage.set();
  let outDir: string;
  let server: PreviewServer;

  beforeAll(async () => {
    outDir = await mkdtemp(join(tmpdir(), 'tokencast-usechat-'));
    await build({ root, logLevel: 'error', build: { outDir, emptyOutDir: true } });
    const { url } = stage.system.api();
    server = await preview({
      root,
      logLevel: 'error',
      build: { outDir },
      preview: { host: '127.0.0.1', port: 0, proxy: { '/ai-sdk': url, '/v1': url } },
    });
  });

  afterAll(async () => {
    await server.close();
    await rm(outDir, { recursive: true, force: true });
  });

  test('asks, goes on with the answer after a reload in its middle, and stops it', async () => {
    const address = server.resolvedUrls?.local[0] ?? '';
    const desk = await Desk.open(stage.browser, { url: address });
    const page = await desk.context.newPage();
    await page.goto(address);
    const answer = page.locator('[data-role="assistant"]').last();
    const ask = async (text: string) => {
      await page.getByRole('textbox', { name: 'Message' }).fill(text);
      await page.getByRole('button', { name: 'Send' }).click();
      return stage.upstream.nextRequest(({ body }) => JSON.stringify(body.messages).includes(text));
    };
    const status = (word: string) => page.getByRole('status').getByText(word, { exact: true }).waitFor();

    const first = await ask('What is a queue?');
    first.text('One waits ');
    await answer.getByText('One waits', { exact: true }).waitFor();
    await page.reload();
    await answer.getByText('One waits', { exact: true }).waitFor();
    await status('streaming');
    first.text('behind another.').stop();
    await status('ready');
    expect(await page.locator('[data-role] p').allTextContents()).toEqual([
      'What is a queue?',
      'One waits behind another.',
    ]);

    const second = await ask('Tell me all of it');
    second.text('On and on');
    await answer.getByText('On and on', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await second.closed;
    await status('ready');
    expect(await answer.locator('p').allTextContents()).toEqual(['On and on']);
    await page.reload();
    await status('ready');
    expect(await page.locator('[data-role]').count()).toBe(4);

    await desk.close();
    expect(desk.complaints).toEqual([]);
  });
});
