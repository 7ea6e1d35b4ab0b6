import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { callAsAdmin } from '../support/admin.js';
import type { User } from '../../src/client/index.js';
import { hasFocus, type Window } from './browser.js';
import { Stage } from './stage.js';

const secret = 'a secret of these tests, of more than 32 bytes';

describe('what goes wrong or nearly so', () => {
  const stage = Stage.set({ env: { AUTH_SECRET: secret } });
  const pending = ({ page }: Window, state: string) =>
    page.locator(`[data-testid="pending-message"][data-state="${state}"]`);

  test('a message that does not arrive stays, can be sent again, and is there once', async () => {
    const { window, desk } = await stage.sitDown();
    const { page } = window;
    desk.forgive(/ERR_FAILED/);
    await page.getByText('Remark', { exact: true }).click();
    await page.route('**/messages', (route) => route.abort());
    await window.say('Can you hear me?');
    const failed = pending(window, 'failed');
    await failed.getByText('not sent', { exact: true }).waitFor();
    await failed.getByText('The server cannot be reached.').waitFor();
    expect(await window.messages.count()).toBe(0);
    expect(await window.composer.inputValue()).toBe('');

    await failed.getByRole('button', { name: 'Edit' }).click();
    expect(await window.composer.inputValue()).toBe('Can you hear me?');
    await window.say('Can you hear me now?');
    await failed.getByText('Can you hear me now?').waitFor();
    await page.unroute('**/messages');
    await failed.getByRole('button', { name: 'Send again' }).click();
    await window.messages.getByText('Can you hear me now?').waitFor();
    expect(await page.getByTestId('pending-message').count()).toBe(0);
    expect(await hasFocus(window.composer)).toBe(true);
    await page.reload();
    await window.messages.getByText('Can you hear me now?').waitFor();
    expect(await window.messages.count()).toBe(1);
  });

  test('a message whose answer gets lost on its way is there once', async () => {
    const { window, desk, person, conversationId } = await stage.sitDown();
    const { page } = window;
    desk.forgive(/ERR_FAILED/);
    await page.getByText('Remark', { exact: true }).click();
    const keys: (string | undefined)[] = [];
    await page.route('**/messages', async (route) => {
      keys.push(route.request().headers()['idempotency-key']);
      await route.fetch();
      await route.abort();
    });
    await window.say('Once');
    await window.messages.getByText('Once').waitFor();
    await page.getByTestId('pending-message').waitFor({ state: 'detached' });
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    expect((await person.http.listMessages(conversationId)).items.map(({ text }) => text)).toEqual(['Once']);
    expect(await window.messages.count()).toBe(1);
  });

  test('an answer that fails says why, and can be asked for again', async () => {
    const { window } = await stage.sitDown();
    await window.say('Are you well?');
    (await stage.upstream.nextRequest()).fail(400);
    const unanswered = window.answer('unanswered');
    await unanswered.locator('.problem').waitFor();
    await unanswered.getByRole('button', { name: 'Ask again' }).click();
    const again = await stage.upstream.nextRequest();
    again.text('I am, ');
    await window.page.getByText('I am,').waitFor();
    again.error({ type: 'invalid_request_error', message: 'No more' });
    const partial = window.answer('partial');
    await partial.locator('.problem').waitFor();
    expect(await window.words()).toBe('I am,');
    await partial.getByRole('button', { name: 'Start over' }).click();
    (await stage.upstream.nextRequest()).text('Well enough.').stop();
    await window.answer('complete').getByText('Well enough.').waitFor();
    expect(await window.answers.count()).toBe(1);
    expect(await window.messages.count()).toBe(1);
  });

  test('a budget that is used up is said, leaves remarks, and is over when there is more', async () => {
    const { window, person, desk } = await stage.sitDown();
    const { page } = window;
    desk.forgive(/402/);
    const limit = (limitUsd: number | null) =>
      callAsAdmin(stage.system.api(), 'PUT', `/admin/budgets/users/${person.user.id}`, {
        body: { limitUsd },
      });
    await limit(0.000_01);
    await window.say('What does it cost?');
    const refused = pending(window, 'failed');
    await refused.getByText('too little left').waitFor();
    await page.getByTestId('spent-note').getByText('Remarks to people cost nothing.').waitFor();
    expect(await page.getByRole('radio', { name: 'Ask' }).isDisabled()).toBe(true);
    expect(await page.getByRole('radio', { name: 'Remark' }).isChecked()).toBe(true);
    await window.say('Then only this');
    await window.messages.getByText('Then only this').waitFor();

    await limit(null);
    await refused.getByRole('button', { name: 'Send again' }).click();
    (await stage.upstream.nextRequest()).text('Little.').stop();
    await window.answer('complete').getByText('Little.').waitFor();
    await page.getByTestId('spent-note').waitFor({ state: 'detached' });
    expect(await page.getByRole('radio', { name: 'Ask' }).isDisabled()).toBe(false);
  });

  test('a server that goes away is counted down to, and what it missed to tell is told', async () => {
    const { window, desk } = await stage.sitDown();
    desk.forgive(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|WebSocket|ERR_EMPTY_RESPONSE/);
    await window.say('Count');
    const asked = await stage.upstream.nextRequest();
    asked.text('one ');
    await window.page.getByText('one', { exact: true }).waitFor();
    const api = stage.system.api();
    api.kill('SIGKILL');
    await api.exited();
    await window.connection.getByText(/^Reconnecting in \d+ s$/).waitFor();
    await window
      .answer('writing')
      .getByText(/^Held at \d+ tokens?\. The rest follows\.$/)
      .waitFor();
    // The worker writes on, for whoever comes back.
    for (const word of ['two ', 'three ', 'four ']) asked.text(word);
    await api.start();
    await window.connection.getByText(/^Caught up, \d+ events?$/).waitFor();
    asked.text('five').stop();
    await window.answer('complete').waitFor();
    expect(await window.words()).toBe('one two three four five');
    await window.connection.getByText('Live', { exact: true }).waitFor();
  });

  describe('a session', () => {
    const tokenOf = ({ id, name }: User, seconds: number, key = secret) =>
      new SignJWT({ name })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(id)
        .setJti('a session of a test')
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
        .sign(new TextEncoder().encode(key));
    const kept = ({ page }: Window) =>
      page.evaluate(
        () => JSON.parse(localStorage.getItem('tokencast.session') ?? '{}') as { token?: string },
      );
    /** Of hers ends in a minute: the server says so at once. */
    const short = async () => {
      const { person } = await stage.arrive('Ada');
      const token = await tokenOf(person.user, 60);
      const conversationId = await person.converse({ title: 'Short' });
      return { token, conversationId, desk: await stage.deskOf({ user: person.user, token }) };
    };

    test('that is about to end is renewed, and nobody notices', async () => {
      const { token, conversationId, desk } = await short();
      const window = await desk.room(conversationId);
      await expect.poll(async () => (await kept(window)).token).not.toBe(token);
      await window.say('Still here?');
      (await stage.upstream.nextRequest()).text('Still.').stop();
      await window.answer('complete').waitFor();
      expect(await window.connection.textContent()).toBe('Live');
    });

    test('that is about to end and cannot be renewed says when it ends', async () => {
      const { conversationId, desk } = await short();
      desk.forgive(/ERR_FAILED/);
      await desk.context.route('**/sessions/refresh', (route) => route.abort());
      const window = await desk.window(`/c/${conversationId}`);
      await window.connection.getByText(/^Session ends in (\d+ s|1 min)$/).waitFor();
    });

    test('that is no longer taken asks who is here, and goes on', async () => {
      const { person } = await stage.arrive('Ada');
      const token = await tokenOf(person.user, 3600, 'another secret, that the server does not know');
      const desk = await stage.deskOf({ user: person.user, token });
      desk.forgive(/401/);
      const window = await desk.window();
      await window.page.getByRole('textbox', { name: 'Name' }).fill('Ada again');
      await window.page.getByRole('button', { name: 'Continue' }).click();
      await window.page.getByTestId('current-user').getByText('Ada again').waitFor();
    });
  });

  describe('the composer', () => {
    test('keeps a draft for each conversation over a reload, until it is sent', async () => {
      const { window, person } = await stage.sitDown();
      const elsewhere = await person.converse({ title: 'Elsewhere' });
      await window.composer.fill('Not said yet');
      await window.page.reload();
      await window.live.waitFor();
      expect(await window.composer.inputValue()).toBe('Not said yet');
      await window.page.goto(`/c/${elsewhere}`);
      await window.live.waitFor();
      expect(await window.composer.inputValue()).toBe('');
      await window.page.goBack();
      await window.live.waitFor();
      expect(await window.composer.inputValue()).toBe('Not said yet');
      await window.composer.press('Shift+Enter');
      await window.composer.pressSequentially('in two lines');
      await window.composer.press('Enter');
      (await stage.upstream.nextRequest()).text('Now it is.').stop();
      await window.answer('complete').waitFor();
      expect(await window.messages.last().locator('.said').textContent()).toBe('Not said yet\nin two lines');
      await window.page.reload();
      await window.live.waitFor();
      expect(await window.composer.inputValue()).toBe('');
    });

    test('takes text files that are dropped, and says which cannot go in', async () => {
      const { window } = await stage.sitDown();
      const { page } = window;
      const drag = async (name: string, content: string) => {
        const dataTransfer = await page.evaluateHandle(
          (file) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([file.content], file.name));
            return transfer;
          },
          { name, content },
        );
        await page.dispatchEvent('main', 'dragenter', { dataTransfer });
        await page.getByText('Drop text files to put them into the message').waitFor();
        await page.dispatchEvent('main', 'drop', { dataTransfer });
      };
      await drag('export.ts', 'const kept = 16;\n');
      await expect.poll(() => window.composer.inputValue()).toBe('```ts export.ts\nconst kept = 16;\n```\n');
      await page.getByText('Drop text files').waitFor({ state: 'detached' });
      await drag('photo.png', '\u0000\u0001');
      await page.getByText('photo.png is not text; only text can go into a message.').first().waitFor();
      await window.composer.press('Enter');
      (await stage.upstream.nextRequest()).text('I see.').stop();
      await window.messages.last().locator('.tok-kw').getByText('const').waitFor();
    });
  });
});
