import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Person } from '../support/person.js';
import { hasFocus } from './browser.js';
import { Stage } from './stage.js';

/** Plain words without marks, so that the document's text must be the model's text, character for character. */
const plainWords = Array.from({ length: 900 }, (_, n) => `w${String(n).padStart(4, '0')}`).join(' ');

describe('the page', () => {
  // The demo model answers, unless a conversation names the upstream's.
  const stage = Stage.set({ env: { DEFAULT_MODEL: 'demo', DEMO_TOKENS_PER_SECOND: '80' } });
  /** Somebody at a desk, and a conversation that the scripted upstream answers with plain words. */
  const sitDown = async ({ delayMs = 3 } = {}) => {
    stage.upstream.answerWith(plainWords, { delayMs });
    const person = await Person.signIn(stage.system.api(), 'Ada');
    const conversationId = await person.converse({ title: 'Plain words', model: 'claude-sonnet-4-5' });
    return { person, conversationId, desk: await stage.deskOf(person) };
  };
  const newestAnswer = async (person: Person, conversationId: string) => {
    const { items } = await person.http.listMessages(conversationId);
    const { generationId } = items.findLast(({ role }) => role === 'assistant') ?? {};
    if (!generationId) throw new Error('nothing was answered');
    return person.http.getGeneration(generationId);
  };

  test('takes a name, makes a conversation with the first message, and shows the answer as it is written', async () => {
    const window = await (await stage.newDesk()).window();
    const { page } = window;
    await page.getByRole('textbox', { name: 'Name' }).fill('Ada');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByTestId('current-user').getByText('Ada').waitFor();

    await window.say('Where does the memory go?');
    await window.answer('writing').waitFor();
    await window.hasWritten(20);
    expect(await window.messages.allTextContents()).toEqual([
      expect.stringContaining('Where does the memory go?'),
    ]);
    await window.answer('complete').waitFor();
    expect(await window.words()).toContain('This is the demo model.');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain(
      'Where does the memory go?',
    );
    await page
      .getByRole('navigation', { name: 'Conversations' })
      .getByRole('link', { name: 'Where does the memory go?' })
      .waitFor();
    expect(await hasFocus(window.composer)).toBe(true);
  });

  test('stops an answer and keeps what was written', async () => {
    const { person, conversationId, desk } = await sitDown();
    const window = await desk.room(conversationId);
    await window.say('Go on until I stop you');
    await window.hasWritten(100);
    await window.page.getByRole('button', { name: 'Stop' }).click();
    await window.answer('partial').waitFor();
    const generation = await newestAnswer(person, conversationId);
    expect(generation).toMatchObject({ status: 'cancelled', stopReason: 'cancelled' });
    expect(generation.text.length).toBeGreaterThanOrEqual(100);
    expect(generation.text.length).toBeLessThan(plainWords.length);
    // Markdown has no blank at the end of a paragraph.
    expect(await window.words()).toBe(generation.text.trimEnd());
  });

  test('stops on Escape', async () => {
    const { conversationId, desk } = await sitDown();
    const window = await desk.room(conversationId);
    await window.say('Go on until I press a key');
    await window.hasWritten(20);
    await window.composer.press('Escape');
    await window.answer('partial').waitFor();
  });

  test('shows the same in a second window of the same person at the same time', async () => {
    const { person, conversationId, desk } = await sitDown();
    const [first, second] = await Promise.all([desk.room(conversationId), desk.room(conversationId)]);
    await first.say('To both of us');
    await Promise.all([first.hasWritten(50), second.hasWritten(50)]);
    // Both are in the middle of it, and neither holds anything that the other will not have.
    const [here, there] = await Promise.all([first.words(), second.words()]);
    expect(plainWords.startsWith(here)).toBe(true);
    expect(plainWords.startsWith(there)).toBe(true);
    await Promise.all([first.answer('complete').waitFor(), second.answer('complete').waitFor()]);
    const { text } = await newestAnswer(person, conversationId);
    expect(text).toBe(plainWords);
    expect(await first.words()).toBe(text);
    expect(await second.words()).toBe(text);
    expect(await second.messages.count()).toBe(1);
  });

  test('loses nothing when it is reloaded in mid-answer', async () => {
    const { person, conversationId, desk } = await sitDown();
    const window = await desk.room(conversationId);
    await window.say('Let me reload');
    for (const characters of [200, 1200]) {
      await window.hasWritten(characters);
      await window.page.reload();
      await window.live.waitFor();
    }
    await window.answer('complete').waitFor();
    const { text } = await newestAnswer(person, conversationId);
    expect(text).toBe(plainWords);
    expect(await window.words()).toBe(text);
  });

  test('has every word after five seconds offline in mid-answer, and says that it caught up', async () => {
    const { person, conversationId, desk } = await sitDown({ delayMs: 8 });
    const window = await desk.room(conversationId);
    await window.say('Let me go offline');
    await window.hasWritten(200);
    await desk.context.setOffline(true);
    await window.page
      .locator('[data-testid="connection"]:is([data-look="offline"], [data-look="reconnecting"])')
      .waitFor();
    const held = await window.words();
    // A person without network for five seconds: the time is the test's matter, not a wait for something.
    await sleep(5000);
    expect(await window.words()).toBe(held);
    await desk.context.setOffline(false);
    await window.page.locator('[data-testid="connection"][data-look="caught-up"]').waitFor();
    await window.answer('complete').waitFor();
    const { text } = await newestAnswer(person, conversationId);
    expect(text).toBe(plainWords);
    expect(await window.words()).toBe(text);
    expect(await window.messages.count()).toBe(1);
  });

  test('tells what little was spent within the frame of its chart', async () => {
    const { person, conversationId, desk } = await sitDown();
    const { generation } = await person.ask(conversationId, 'How are you?');
    await person.ended(generation.id);
    const { page } = await desk.window('/usage');
    const chart = page.locator('.usage-chart');
    await chart.locator('.tick text').first().waitFor();
    const outside = await chart.evaluate((frame) => {
      const { left } = frame.getBoundingClientRect();
      return [...frame.querySelectorAll('.tick text')]
        .filter((label) => label.getBoundingClientRect().left < left)
        .map((label) => label.textContent);
    });
    expect(outside).toEqual([]);
  });
});
