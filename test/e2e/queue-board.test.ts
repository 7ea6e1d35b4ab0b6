import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openScene, type Scene } from '../support/scene.js';
import { Desk, launchBrowser } from './browser.js';

const adminToken = 'an:admin';

let scene: Scene;
let browser: Browser;

beforeAll(async () => {
  [scene, browser] = await Promise.all([openScene({ env: { ADMIN_TOKEN: adminToken } }), launchBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await scene.close();
});

test('an operator opens the queues in a browser, with the admin token as password, and sees a job that runs', async () => {
  const { generation, prompt, model } = await scene.ask();
  const desk = await Desk.open(browser, scene.system.api(), {
    httpCredentials: { username: 'admin', password: adminToken },
  });
  // It asks for fonts of another host, which its policy refuses.
  desk.forgive(/fonts\.googleapis\.com.* violates the following Content Security Policy directive/);
  const page = await desk.context.newPage();
  const foreign: string[] = [];
  const answered: string[] = [];
  page.on('response', (response) => {
    if (!response.url().startsWith(scene.system.api().url)) foreign.push(response.url());
    if (response.url().includes('/api/'))
      void response.text().then(
        (text) => answered.push(text),
        // The page polls on until it is closed.
        () => undefined,
      );
  });
  await page.goto('/admin/queues');
  await page.getByText('webhooks').first().waitFor();
  await page.getByText('generations-anthropic').first().click();
  await page.getByText(generation.id).first().waitFor();
  await expect.poll(() => answered.join()).toContain(generation.id);
  expect(answered.join()).not.toContain(prompt.text);
  expect(foreign).toEqual([]);
  expect(desk.complaints).toEqual([]);
  model.text('Done.').stop();
});
