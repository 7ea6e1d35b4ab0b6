import { describe, expect, test } from 'vitest';
import type { Window } from './browser.js';
import { Stage } from './stage.js';

describe('three people in three windows', () => {
  const stage = Stage.set();

  /** Ada's conversation, with Noor and Tomás in it. */
  const gather = async () => {
    const [ada, noor, tomas] = await Promise.all(['Ada', 'Noor', 'Tomás'].map((name) => stage.arrive(name)));
    if (!ada || !noor || !tomas) throw new Error('somebody did not come');
    const conversationId = await ada.person.converse({ title: 'Backpressure' });
    for (const { person } of [noor, tomas]) await stage.system.addMember(conversationId, person.user.id);
    const [adas, noors, tomass] = await Promise.all(
      [ada, noor, tomas].map(({ desk }) => desk.room(conversationId)),
    );
    if (!adas || !noors || !tomass) throw new Error('somebody has no window');
    return { ada, noor, tomas, adas, noors, tomass, all: [adas, noors, tomass], conversationId };
  };
  const everywhere = <T>(windows: Window[], act: (window: Window) => Promise<T>) =>
    Promise.all(windows.map(act));

  test('see the same words in the same order, wait in one line, and any of them stops an answer', async () => {
    const { adas, noors, tomass, all } = await gather();
    await everywhere(all, ({ page }) => page.getByRole('button', { name: '3 people here' }).waitFor());

    await adas.say('Where does it sit?');
    const first = await stage.upstream.nextRequest();
    first.text('It sits in the ');
    await everywhere(all, ({ page }) => page.getByText('It sits in the').waitFor());
    await noors.say('And the Parquet writer?');
    await everywhere(all, ({ page }) =>
      page.getByTestId('waiting').getByText('And the Parquet writer?').waitFor(),
    );
    await tomass.say('Write a test');
    await everywhere(all, ({ page }) => page.getByText('2 waiting, answered in this order').waitFor());
    expect(await everywhere(all, ({ page }) => page.getByTestId('waiting').allTextContents())).toEqual([
      ['1NoorAnd the Parquet writer?', '2TomásWrite a test'],
      ['1YouAnd the Parquet writer?', '2TomásWrite a test'],
      ['1NoorAnd the Parquet writer?', '2YouWrite a test'],
    ]);

    // Not the one who asked.
    await tomass.page.getByRole('button', { name: 'Stop' }).click();
    await everywhere(all, (window) => window.answer('partial').getByText('text kept').waitFor());
    (await stage.upstream.nextRequest()).text('The same holds there.').stop();
    // In the answer: what is said to screen readers has the same words.
    const answered = (words: string) =>
      everywhere(all, ({ page }) => page.getByTestId('answer-text').getByText(words).waitFor());
    await answered('The same holds there.');
    (await stage.upstream.nextRequest()).text('Here it is.').stop();
    await answered('Here it is.');

    const said = await everywhere(all, ({ page }) =>
      page.locator('[data-message-id] :is(.said, .markdown)').allTextContents(),
    );
    expect(said[0]).toEqual([
      'Where does it sit?',
      'It sits in the',
      'And the Parquet writer?',
      'The same holds there.',
      'Write a test',
      'Here it is.',
    ]);
    expect(said[1]).toEqual(said[0]);
    expect(said[2]).toEqual(said[0]);
  });

  test('leave when they want to, and find the conversation no more', async () => {
    const { adas, noors, noor, conversationId } = await gather();
    await noors.page.getByRole('button', { name: 'More', exact: true }).click();
    await noors.page.getByRole('menuitem', { name: 'Leave' }).click();
    await noors.page.getByRole('alertdialog').getByRole('button', { name: 'Stay' }).click();
    await noors.page.getByRole('alertdialog').waitFor({ state: 'detached' });
    await noors.page.getByRole('button', { name: 'More', exact: true }).click();
    await noors.page.getByRole('menuitem', { name: 'Leave' }).click();
    await noors.page.getByRole('alertdialog').getByRole('button', { name: 'Leave' }).click();
    await noors.page.waitForURL('**/');
    await noors.page.getByText('No conversations yet.').waitFor();
    await adas.page.getByRole('button', { name: '2 people here' }).waitFor();
    noor.desk.forgive(/404/);
    await noors.page.goto(`/c/${conversationId}`);
    await noors.page.getByRole('heading', { name: 'There is no such conversation' }).waitFor();
    await noors.page.getByText('you are not a member of it').waitFor();
  });

  test('set the model, the instructions and the order of answering for all of them', async () => {
    const { adas, noors, tomass } = await gather();
    const { page } = noors;
    const openSettings = async (window: Window) => {
      await window.page.getByRole('button', { name: 'More', exact: true }).click();
      await window.page.getByRole('menuitem', { name: 'Model and instructions' }).click();
    };
    await openSettings(noors);
    await page.getByRole('combobox', { name: 'Model' }).selectOption('claude-haiku-4-5');
    await page
      .getByRole('textbox', { name: 'Instructions to the assistant' })
      .fill('Answer like a lighthouse.');
    await page
      .getByRole('combobox', { name: 'A question that comes while another is answered' })
      .selectOption({ label: 'interrupts it' });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await adas.page.getByRole('button', { name: 'Model claude-haiku-4-5' }).waitFor();

    await adas.say('Who are you?');
    const first = await stage.upstream.nextRequest();
    expect(first.body.model).toBe('claude-haiku-4-5');
    expect(JSON.stringify(first.body.system)).toContain('Answer like a lighthouse.');
    first.text('A light, ');
    await tomass.page.getByText('A light,').waitFor();
    await tomass.page.getByText('stops this answer').waitFor();
    await tomass.say('Never mind: where are you?');
    await adas.answer('partial').getByText('A light,').waitFor();
    (await stage.upstream.nextRequest()).text('On a rock.').stop();
    await adas.answer('complete').getByText('On a rock.').waitFor();

    await openSettings(tomass);
    expect(
      await tomass.page.getByRole('textbox', { name: 'Instructions to the assistant' }).inputValue(),
    ).toBe('Answer like a lighthouse.');
  });
});
