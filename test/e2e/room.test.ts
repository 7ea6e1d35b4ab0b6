import { describe, expect, test } from 'vitest';
import { hasFocus, type Window } from './browser.js';
import { Stage } from './stage.js';

describe('a room of several people', () => {
  const stage = Stage.set();
  const itemOf = ({ page }: Window, title: string) =>
    page.getByTestId('conversation').filter({ hasText: title });

  /** Opens a conversation of the sidebar. The pointer goes away: on an item it shows its menu in place of its marks. */
  const openItem = async (window: Window, title: string) => {
    await itemOf(window, title).getByRole('link').click();
    await window.page.mouse.move(700, 300);
    await window.page.getByRole('heading', { name: title, level: 1 }).waitFor();
    await window.live.waitFor();
  };

  test('offers what one can begin with, while nothing is said', async () => {
    const { window } = await stage.sitDown();
    const { page } = window;
    await page.getByRole('button', { name: 'Give the assistant instructions' }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Invite people' }).click();
    await page.getByRole('textbox', { name: 'Link' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Ask about a document' }).click();
    await page.waitForURL('**/documents');
  });

  test('counts in the sidebar what others said, until it is read', async () => {
    const { ada, noor, adas, noors, conversationId } = await stage.meet();
    const elsewhere = await ada.person.converse({ title: 'Elsewhere' });
    await openItem(adas, 'Elsewhere');
    await noors.page.getByText('Remark', { exact: true }).click();
    await noors.say('One');
    await noors.say('Two');
    await itemOf(adas, 'Backpressure').getByTestId('unread').getByText('2', { exact: true }).waitFor();
    expect(adas.conversationId).toBe(elsewhere);

    await openItem(adas, 'Backpressure');
    await adas.messages.filter({ hasText: 'Two' }).waitFor();
    await openItem(adas, 'Elsewhere');
    await itemOf(adas, 'Backpressure').waitFor();
    await expect.poll(async () => (await ada.person.http.getConversation(conversationId)).unread).toBe(0);
    await itemOf(adas, 'Backpressure').getByTestId('unread').waitFor({ state: 'detached' });
    expect((await noor.person.http.getConversation(conversationId)).unread).toBe(0);
  });

  test('marks a conversation as live while it is answered, also for who is elsewhere', async () => {
    const { adas, noors, ada } = await stage.meet();
    await ada.person.converse({ title: 'Elsewhere' });
    await openItem(adas, 'Elsewhere');
    await noors.say('Are you there?');
    const asked = await stage.upstream.nextRequest();
    await itemOf(adas, 'Backpressure').getByText('live').waitFor();
    asked.text('Yes.').stop();
    await itemOf(adas, 'Backpressure').getByText('live').waitFor({ state: 'detached' });
  });

  test('shows who is here with how many windows, and who types', async () => {
    const { noor, adas, noors, conversationId } = await stage.meet();
    await noor.desk.room(conversationId);
    await adas.page.getByTestId('present').nth(1).waitFor();
    await adas.page.getByRole('button', { name: '2 people here' }).click();
    const member = adas.page.getByTestId('member').filter({ hasText: 'Noor' });
    await member.getByText('2 windows').waitFor();
    await noors.composer.pressSequentially('Hm');
    await adas.page.getByTestId('typing').getByText('Noor is typing').waitFor();
    await member.getByText('typing').waitFor();
    await noors.composer.fill('');
    await member.getByText('member').waitFor();
    await noor.desk.close();
    await member.getByText('not here').waitFor();
  });

  test('brings in whoever opens an invitation, and ends for who is removed', async () => {
    const [ada, noor] = await Promise.all([stage.arrive('Ada'), stage.arrive('Noor')]);
    const conversationId = await ada.person.converse({ title: 'By invitation' });
    const adas = await ada.desk.room(conversationId);
    await adas.page.getByRole('button', { name: 'Invite', exact: true }).click();
    const link = adas.page.getByRole('textbox', { name: 'Link' });
    await expect.poll(() => link.inputValue()).toContain('/invite/');
    const noors = await noor.desk.window(new URL(await link.inputValue()).pathname);
    await noors.live.waitFor();
    expect(noors.conversationId).toBe(conversationId);
    await itemOf(noors, 'By invitation').waitFor();

    await adas.page.keyboard.press('Escape');
    await adas.page.getByRole('button', { name: '2 people here' }).click();
    await adas.page.getByRole('button', { name: 'Remove Noor' }).click();
    await noors.page.getByRole('heading', { name: 'You are no longer a member' }).waitFor();
    await itemOf(noors, 'By invitation').waitFor({ state: 'detached' });
  });

  test('lets a viewer read along and offers no way to write', async () => {
    const { adas, noors } = await stage.meet('viewer');
    await adas.say('Can you hear me?');
    (await stage.upstream.nextRequest()).text('I can.').stop();
    await noors.answer('complete').waitFor();
    await noors.page.getByText('You are reading along as a viewer.').waitFor();
    expect(await noors.composer.count()).toBe(0);
    expect(await noors.page.getByRole('button', { name: 'Answer again' }).count()).toBe(0);
  });

  test('sends a remark to the people alone, and the other way by the other key', async () => {
    const { adas, noors } = await stage.meet();
    const before = stage.upstream.requests.length;
    await adas.page.getByText('Remark', { exact: true }).click();
    await adas.say('Off to the train');
    await noors.messages
      .filter({ hasText: 'Off to the train' })
      .getByText('remark', { exact: true })
      .waitFor();
    await adas.composer.fill('And what do you say?');
    await adas.composer.press('ControlOrMeta+Enter');
    (await stage.upstream.nextRequest()).text('Nothing.').stop();
    await noors.answer('complete').waitFor();
    expect(stage.upstream.requests.length).toBe(before + 1);
    await adas.page.reload();
    await adas.live.waitFor();
    expect(await adas.page.getByRole('radio', { name: 'Remark' }).isChecked()).toBe(true);
  });

  test('edits the last message from the keyboard and asks again', async () => {
    const { adas, noors } = await stage.meet();
    await adas.say('What is two and two?');
    (await stage.upstream.nextRequest()).text('Four.').stop();
    await adas.answer('complete').waitFor();
    await adas.composer.press('ArrowUp');
    const editor = adas.page.getByRole('textbox', { name: 'Edit the message' });
    await editor.fill('What is two and three?');
    await editor.press('Enter');
    const asked = await stage.upstream.nextRequest(({ body }) =>
      JSON.stringify(body).includes('two and three'),
    );
    asked.text('Five.').stop();
    await noors.answerText.getByText('Five.').waitFor();
    expect(await noors.answers.count()).toBe(1);
    expect(await noors.messages.count()).toBe(1);
    expect(await hasFocus(adas.composer)).toBe(true);
  });

  test('answers again, and keeps the old answer until the new one is there', async () => {
    const { adas } = await stage.meet();
    await adas.say('Say something');
    (await stage.upstream.nextRequest()).text('First.').stop();
    await adas.answer('complete').waitFor();
    await adas.answer('complete').hover();
    await adas.answer('complete').getByRole('button', { name: 'Answer again' }).click();
    const again = await stage.upstream.nextRequest();
    again.text('Sec');
    await adas.page.getByText('Sec', { exact: true }).waitFor();
    await adas.page.getByText('First.', { exact: true }).waitFor();
    again.text('ond.').stop();
    await adas.page.getByText('First.', { exact: true }).waitFor({ state: 'detached' });
    expect(await adas.words()).toBe('Second.');
    expect(await adas.answers.count()).toBe(1);
  });

  test('goes on from where an answer was stopped', async () => {
    const { adas } = await stage.meet();
    await adas.say('Count');
    const asked = await stage.upstream.nextRequest();
    asked.text('one two');
    await adas.page.getByText('one two').waitFor();
    await adas.page.getByRole('button', { name: 'Stop' }).click();
    await adas.answer('partial').getByText('text kept').waitFor();
    await adas.page.getByRole('button', { name: 'Continue' }).click();
    (await stage.upstream.nextRequest()).text(' three').stop();
    await adas.answer('complete').waitFor();
    expect(await adas.words()).toBe('one two three');
    expect(await adas.answers.count()).toBe(1);
  });

  test('shows thinking folded, tool calls with their input, and code in colours while it is written', async () => {
    const { adas } = await stage.meet();
    await adas.say('Work it out');
    const asked = await stage.upstream.nextRequest();
    asked
      .start()
      .block({ type: 'thinking', thinking: '', signature: '' })
      .delta({ type: 'thinking_delta', thinking: 'What a paused socket keeps' })
      .blockStop()
      .text('So:\n\n```ts\nconst kept = 16');
    const answer = adas.answer('writing');
    await answer.locator('.tok-kw').getByText('const').waitFor();
    const thought = answer.locator('.thinking');
    expect(await thought.isVisible()).toBe(false);
    await answer.getByText('Thought').click();
    expect(await thought.isVisible()).toBe(true);
    asked
      .text(';\n```\n')
      .blockStop()
      .block({ type: 'tool_use', id: 'toolu_1', name: 'calculator', input: {} })
      .delta({ type: 'input_json_delta', partial_json: '{"expression": "16 * 61"}' })
      .stop({ stopReason: 'tool_use' });
    await adas.answer('complete').getByTestId('tool-call').getByText('16 * 61', { exact: true }).waitFor();
    expect(await adas.page.locator('.code-block code').textContent()).toBe('const kept = 16;');
  });

  test('shows the line in which questions wait, and lets one take out their own', async () => {
    const { adas, noors } = await stage.meet();
    await adas.say('The first');
    const first = await stage.upstream.nextRequest();
    await noors.say('The second');
    await adas.page.getByTestId('waiting').getByText('The second').waitFor();
    await adas.page.getByText('2nd in line').waitFor();
    expect(await adas.page.getByRole('button', { name: 'Remove from the line' }).count()).toBe(0);
    await noors.page.getByRole('button', { name: 'Remove from the line' }).click();
    await adas.page.getByTestId('waiting').waitFor({ state: 'detached' });
    first.text('Done.').stop();
    await adas.answer('complete').waitFor();
  });

  test('renames, clears and deletes, and asks before what cannot be undone', async () => {
    const { adas, noors } = await stage.meet();
    const choose = async (item: string) => {
      await adas.page.getByRole('button', { name: 'More', exact: true }).click();
      await adas.page.getByRole('menuitem', { name: item }).click();
    };
    await choose('Rename');
    await adas.page.getByRole('textbox', { name: 'Title' }).fill('Another name');
    await adas.page.getByRole('button', { name: 'Save' }).click();
    await noors.page.getByRole('heading', { name: 'Another name' }).waitFor();
    await expect.poll(() => hasFocus(adas.composer)).toBe(true);
    await itemOf(noors, 'Another name').waitFor();

    await adas.page.getByText('Remark', { exact: true }).click();
    await adas.say('To be forgotten');
    await noors.messages.first().waitFor();
    await adas.page.getByText('Ask', { exact: true }).click();
    await adas.say('Go on');
    (await stage.upstream.nextRequest()).text('And on');
    await adas.answer('writing').waitFor();
    await choose('Clear the history');
    await adas.page.getByText('One running answer is stopped.').waitFor();
    const keep = adas.page.getByRole('button', { name: 'Keep' });
    await expect.poll(() => hasFocus(keep)).toBe(true);
    await adas.page
      .getByRole('alertdialog')
      .getByRole('button', { name: /^Clear / })
      .click();
    await noors.messages.first().waitFor({ state: 'detached' });

    await choose('Delete');
    await adas.page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await noors.page.getByRole('heading', { name: 'This conversation was deleted' }).waitFor();
    await itemOf(adas, 'Another name').waitFor({ state: 'detached' });
    await itemOf(noors, 'Another name').waitFor({ state: 'detached' });
  });

  test('finds a conversation by what was said in it, from the keyboard', async () => {
    const { person, desk } = await stage.arrive('Ada');
    const found = await person.converse({
      title: 'Tides',
      messages: [{ role: 'user', content: 'The barrier closes at 2.1 m' }],
    });
    await person.converse({ title: 'Something else' });
    const window = await desk.window();
    await itemOf(window, 'Tides').waitFor();
    await window.page.keyboard.press('ControlOrMeta+k');
    await window.page.keyboard.type('barrier closes');
    await window.page.getByText('1 found').waitFor();
    await window.page.keyboard.press('Enter');
    await window.live.waitFor();
    expect(window.conversationId).toBe(found);
    await itemOf(window, 'Something else').waitFor();
    await window.page.keyboard.press('Alt+ArrowUp');
    await window.page.getByRole('heading', { name: 'Something else', level: 1 }).waitFor();
  });

  test('brings older messages when one scrolls up, and what one reads stays where it is', async () => {
    const { person, desk } = await stage.arrive('Ada');
    const messages = Array.from({ length: 200 }, (_, n) => ({
      role: n % 2 ? ('assistant' as const) : ('user' as const),
      content: `Message ${n}`,
    }));
    const conversationId = await person.converse({ title: 'Long', messages });
    const window = await desk.room(conversationId);
    await window.page.getByText('Message 199', { exact: true }).waitFor();
    const log = window.page.getByRole('log');
    for (let shown = 0; shown < 200;) {
      const before = await log.evaluate((element) => {
        element.scrollTop = 40;
        const box = element.getBoundingClientRect();
        const row = [...element.querySelectorAll('[data-message-id]')].find(
          (one) => one.getBoundingClientRect().top >= box.top,
        );
        return {
          id: row?.getAttribute('data-message-id') ?? '',
          rows: element.querySelectorAll('[data-message-id]').length,
        };
      });
      const row = log.locator(`[data-message-id="${before.id}"]`);
      const top = (await row.boundingBox())?.y ?? Number.NaN;
      await expect.poll(() => log.locator('[data-message-id]').count()).toBeGreaterThan(before.rows);
      expect(Math.abs(((await row.boundingBox())?.y ?? Number.NaN) - top)).toBeLessThanOrEqual(2);
      shown = await log.locator('[data-message-id]').count();
    }
    expect(await log.locator('[data-message-id]').count()).toBe(200);
    await window.page.keyboard.press('ControlOrMeta+j');
    await expect
      .poll(() => log.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight))
      .toBeLessThanOrEqual(1);
  });
});
