import { describe, expect, test } from 'vitest';
import { Stage } from './stage.js';

describe('the page of the API', () => {
  const stage = Stage.set();

  test('shows every operation of the document, and tries one out', async () => {
    const { url } = stage.system.api();
    const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
      paths: Record<string, object>;
    };
    const told = Object.values(paths).flatMap((item) => Object.keys(item)).length;
    const desk = await stage.newDesk();
    const { page } = await desk.window('/docs');
    const operations = page.locator('.opblock[id^="operations-"]:not([id^="operations-webhooks"])');
    await operations.first().waitFor();
    expect(await operations.count()).toBe(told);
    // The page's own way to say that it does not understand the document.
    expect(await page.getByRole('heading', { name: /Warning|Error/ }).count()).toBe(0);

    const alive = page.locator('#operations-Operators-isAlive');
    await alive.getByRole('button').first().click();
    await alive.getByRole('button', { name: 'Try it out' }).click();
    await alive.getByRole('button', { name: 'Execute' }).click();
    const answer = alive.locator('.live-responses-table .response-col_status').first();
    await answer.waitFor();
    expect(await alive.locator('.live-responses-table').innerText()).toContain('"status": "ok"');
  });
});
