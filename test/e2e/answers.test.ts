import { describe, expect, test } from 'vitest';
import { Stage } from './stage.js';

/** The object that a schema describes, as a model writes it. */
const invoiceSchema = {
  title: 'invoice',
  type: 'object',
  properties: {
    number: { type: 'string' },
    lines: {
      type: 'array',
      items: {
        type: 'object',
        properties: { text: { type: 'string' }, amount: { type: 'number' } },
        required: ['text', 'amount'],
        additionalProperties: false,
      },
    },
    total: { type: 'number' },
  },
  required: ['number', 'lines', 'total'],
  additionalProperties: false,
};

describe('what an answer shows', () => {
  const stage = Stage.set();

  test('is how long the model thought, folded over what it thought', async () => {
    const { window } = await stage.sitDown();
    await window.say('Think about it');
    const asked = await stage.upstream.nextRequest();
    asked.thinking('What a paused socket keeps');
    const answer = window.answer('writing');
    const thinking = window.page.locator('.thinking');
    await answer.getByText('Thinking', { exact: true }).waitFor();
    expect(await thinking.isVisible()).toBe(false);
    await answer.getByText('Thinking', { exact: true }).click();
    expect(await thinking.textContent()).toBe('What a paused socket keeps');
    asked.text('So much.').stop();
    // What its reader has unfolded is not folded by its end.
    await window
      .answer('complete')
      .getByText(/^Thought for \d/)
      .waitFor();
    expect(await thinking.isVisible()).toBe(true);
    await window.page.reload();
    await window.answer('complete').getByText('Thought', { exact: true }).waitFor();
    expect(await thinking.isVisible()).toBe(false);
  });

  test('is what a tool was called with, what came back and after how long, also after a reload', async () => {
    const { window, person, conversationId } = await stage.sitDown();
    await person.ask(conversationId, 'What is 6 times 7?', { tools: ['calculator'] });
    const asked = await stage.upstream.nextRequest();
    asked.call('toolu_1', 'calculator', '{"expression": "6 * 7"}').stop({ stopReason: 'tool_use' });
    const goingOn = await stage.upstream.nextRequest();
    const call = window.page.getByTestId('tool-call');
    await call.getByText('6 * 7', { exact: true }).waitFor();
    await call.getByText('42', { exact: true }).last().waitFor();
    await call.getByText(/^\d+\.\d+ s$/).waitFor();
    goingOn.text('It is 42.').stop();
    await window.answer('complete').getByText('It is 42.').waitFor();
    await window.page.reload();
    await call.getByText('done').waitFor({ state: 'attached' });
    await call.getByText('42', { exact: true }).last().waitFor();
  });

  test('is that the model is tried again, until it says something', async () => {
    const { window } = await stage.sitDown();
    await window.say('Are you there?');
    (await stage.upstream.nextRequest()).fail(529);
    const warning = window.answer('writing').locator('[data-testid="warning"][data-code="retrying"]');
    await warning.getByText('Try 2 of 3 follows.').waitFor();
    const again = await stage.upstream.nextRequest();
    again.text('I am. ');
    await warning.waitFor({ state: 'detached' });
    again.stop();
    await window.answer('complete').waitFor();
  });

  test('is how much of the length that was asked for is written, and that it comes to its end', async () => {
    const { window, person, conversationId } = await stage.sitDown();
    await person.ask(conversationId, 'In 40 tokens', { maxTokens: 40 });
    const asked = await stage.upstream.nextRequest();
    asked.text('x'.repeat(80));
    await window.page.getByRole('progressbar').waitFor();
    await expect
      .poll(() => window.page.getByRole('progressbar').getAttribute('aria-valuetext'))
      .toBe('about 20 of 40 tokens');
    asked.text('x'.repeat(72)).stop({ stopReason: 'max_tokens' });
    const answer = window.answer('complete');
    await answer.locator('[data-testid="warning"][data-code="near_token_limit"]').waitFor();
    await answer.getByText('It reached its limit of tokens.').waitFor();
    await answer.getByRole('button', { name: 'Continue' }).waitFor();
  });

  test('is that the beginning of a long history was left out', async () => {
    const { person, desk } = await stage.arrive('Ada');
    const long = 'word '.repeat(6000);
    const conversationId = await person.converse({
      messages: Array.from({ length: 30 }, (_, n) => ({
        role: n % 2 ? ('assistant' as const) : ('user' as const),
        content: long,
      })),
    });
    const window = await desk.room(conversationId);
    await window.say('And now?');
    (await stage.upstream.nextRequest()).text('Now this.').stop();
    await window
      .answer('complete')
      .locator('[data-testid="warning"][data-code="history_cut"]')
      .getByText('turns were left out')
      .waitFor();
  });

  test('is text, where a model writes HTML or points to images elsewhere', async () => {
    const { window } = await stage.sitDown();
    const { page } = window;
    const foreign: string[] = [];
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== stage.system.api().url) foreign.push(request.url());
    });
    await window.say('Show me');
    const html =
      '<img src="https://evil.example/a.png" onerror="document.title=1"><script>document.title=2</script>';
    (await stage.upstream.nextRequest())
      .text(
        `Look: ${html}\n\n![pixel](https://evil.example/b.png)\n\n[go](javascript:alert(1)) [on](https://example.org)`,
      )
      .stop();
    // What turns Markdown into elements is loaded with the first answer; until then its text is shown as it is.
    await window.answer('complete').getByRole('link', { name: 'on' }).waitFor();
    expect(await page.getByTestId('answer-text').textContent()).toContain('onerror=');
    expect(await page.getByTestId('answer-text').locator('img, script, iframe').count()).toBe(0);
    expect(await page.getByTestId('answer-text').getByRole('link').allTextContents()).toEqual(['on']);
    expect(await page.title()).toContain('Backpressure');
    expect(foreign).toEqual([]);
  });

  test('is a tree, where it is made of objects, and stays one after a reload', async () => {
    const { window, person, conversationId } = await stage.sitDown();
    await person.ask(conversationId, 'Read the invoice', { outputSchema: invoiceSchema });
    const asked = await stage.upstream.nextRequest();
    const tree = window.page.getByTestId('object-tree');
    asked.text('{"number": "2025-0417", "lines": [{"text": "Transfer", "amount": 120}, {"text": "Stor');
    await tree.getByText('"2025-0417"').waitFor();
    await tree.getByRole('button', { name: 'invoice' }).waitFor();
    await tree.getByText('2 so far').waitFor();
    await tree.getByText('not yet').first().waitFor();
    asked.text('age", "amount": 412}], "total": 532}').stop();
    await window.answer('complete').waitFor();
    await tree.getByText('"Storage"').waitFor();
    await tree.getByText('532').waitFor();
    expect(await tree.getByText('not yet').count()).toBe(0);
    await tree.getByRole('button', { name: '0 { text, amount }' }).click();
    await tree.getByText('"Transfer"').waitFor();
    await window.page.reload();
    await tree.getByText('"Storage"').waitFor();
    await tree.getByRole('button', { name: 'invoice' }).waitFor();
  });
});
