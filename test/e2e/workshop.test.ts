import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { Stage } from './stage.js';

const head =
  'import { load } from "pdf-lib";\n\nexport class PageRange {\n  indices(): number[] {\n    return [];\n  }\n}\n';
const rest = '\nexport class PdfMerger {\n  append(): void {}\n}';

describe('the workshop', () => {
  const stage = Stage.set();

  test('is begun from the sidebar, and shows code in colours as it is written, with how far it is', async () => {
    const { desk } = await stage.arrive('Ada');
    const window = await desk.window('/');
    const { page } = window;
    await page.getByRole('link', { name: 'Workshop' }).click();
    await window.say('Generate a class that merges PDFs');
    const asked = await stage.upstream.nextRequest();
    expect(JSON.stringify(asked.body.system)).toContain('one fenced code block');
    await page.waitForURL(/\/workshop\/[0-9a-f-]{36}$/);
    asked.text(`Here it is.\n\n\`\`\`ts pdf-merger.ts\n${head}`);
    const code = page.getByRole('region', { name: 'Code' });
    await code.locator('.tok-kw').getByText('export').waitFor();
    await code.getByText('pdf-merger.ts').waitFor();
    await page.getByTestId('progress').waitFor();
    await page.getByText(/^Writing class PageRange$/).waitFor();
    const outline = page.getByRole('complementary', { name: 'Outline' });
    await outline.getByRole('button', { name: /^indices\(\) line 4, writing$/ }).waitFor();
    // What is said beside the code stands in the conversation, the code does not.
    expect(await window.words()).toBe('Here it is.');

    asked.text(`${rest}\n\`\`\`\n`).stop();
    await window.answer('complete').waitFor();
    await outline.getByRole('button', { name: /^append\(\)/ }).waitFor();
    expect(await code.locator('.code-lines li').count()).toBe((head + rest).split('\n').length);
    await code.getByText('11 lines').waitFor();
  });

  test('keeps what is written in sight until somebody scrolls up, and follows again on demand', async () => {
    const { desk, person } = await stage.arrive('Ada');
    const id = await person.converse({ title: 'Long file' });
    const window = await desk.window(`/workshop/${id}`);
    await window.say('A long one');
    const asked = await stage.upstream.nextRequest();
    const lines = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, n) => `const line${from + n} = ${n};`).join('\n');
    asked.text(`\`\`\`ts\n${lines(0, 80)}\n`);
    const scroller = window.page.getByRole('group', { name: 'code.ts' });
    await window.page.getByRole('button', { name: 'Following' }).waitFor();
    const fromEnd = () =>
      scroller.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
    await expect.poll(fromEnd).toBeLessThanOrEqual(1);
    await scroller.hover();
    await window.page.mouse.wheel(0, -600);
    const follow = window.page.getByRole('button', { name: 'Follow', exact: true });
    await follow.waitFor();
    const top = await scroller.evaluate((element) => element.scrollTop);
    asked.text(lines(80, 120));
    await window.page.getByText('line 120').waitFor();
    expect(await scroller.evaluate((element) => element.scrollTop)).toBe(top);
    await follow.click();
    await expect.poll(fromEnd).toBeLessThanOrEqual(1);
    asked.stop();
  });

  test('keeps every version, and gives any of them to copy and to save', async () => {
    const { desk, person } = await stage.arrive('Ada', {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const id = await person.converse({
      title: 'Two versions',
      messages: [
        { role: 'user', content: 'A constant' },
        { role: 'assistant', content: 'One:\n\n```ts src/one.ts\nexport const one = 1;\n```' },
        { role: 'user', content: 'Another, with a test' },
        {
          role: 'assistant',
          content: 'Two:\n\n```ts two.ts\nexport const two = 2;\n```\n\n```sh\nnpm test\n```',
        },
      ],
    });
    // Reached from the conversation's menu.
    const window = await desk.room(id);
    const { page } = window;
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Open in the workshop' }).click();
    const code = page.getByRole('region', { name: 'Code' });
    await code.getByText('export const two = 2;').waitFor();
    await code.getByRole('combobox', { name: 'File' }).selectOption({ label: 'Shell 2' });
    await code.getByText('npm test').waitFor();

    await page.getByRole('button', { name: 'version 1, 1 line' }).click();
    await code.getByText('export const one = 1;').waitFor();
    expect(await page.getByRole('radio', { name: '1' }).isChecked()).toBe(true);
    await code.getByRole('button', { name: 'Copy the code' }).click();
    await code.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('export const one = 1;');
    const saving = page.waitForEvent('download');
    await code.getByRole('button', { name: 'Download the file' }).click();
    const saved = await saving;
    expect(saved.suggestedFilename()).toBe('one.ts');
    expect(await readFile(await saved.path(), 'utf8')).toBe('export const one = 1;\n');

    await page.getByRole('button', { name: 'Two versions' }).click();
    await page.getByRole('menuitem', { name: 'Open as a conversation' }).click();
    await page.waitForURL(`**/c/${id}`);
  });

  test('is one column at a time on a tablet', async () => {
    const { desk, person } = await stage.arrive('Ada', { viewport: { width: 700, height: 900 } });
    const id = await person.converse({
      messages: [
        { role: 'user', content: 'A constant' },
        { role: 'assistant', content: 'One:\n\n```ts one.ts\nexport const one = 1;\n```' },
      ],
    });
    const { page } = await desk.window(`/workshop/${id}`);
    const code = page.getByRole('region', { name: 'Code' });
    await page.getByText('One:').waitFor();
    expect(await code.isVisible()).toBe(false);
    await page.getByText('Code', { exact: true }).click();
    await code.getByText('export const one = 1;').waitFor();
    expect(await page.getByText('One:').isVisible()).toBe(false);
  });
});
