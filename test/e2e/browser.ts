import { existsSync } from 'node:fs';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Locator,
  type Page,
} from 'playwright-core';
import type { Person } from '../support/person.js';

const installed = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** A real browser: `CHROMIUM_PATH`, else one that the system has. */
export function launchBrowser(args: string[] = []): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH ?? installed.find((path) => existsSync(path));
  return chromium.launch(executablePath ? { executablePath, args } : { channel: 'chrome', args });
}

/** What a browser says when the network is gone; no fault of the page. */
const offlineNoise = /net::ERR_(INTERNET_DISCONNECTED|NETWORK_CHANGED)/;

/** Who opens a desk: a person, under any token of theirs. */
export type Signed = Pick<Person, 'user' | 'token'>;

/** One person's browser: its windows share storage, as theirs do. */
export class Desk {
  /** What no page may say: errors, uncaught exceptions, violations of the Content-Security-Policy. */
  readonly complaints: string[] = [];
  readonly #forgiven = [offlineNoise];

  private constructor(
    readonly context: BrowserContext,
    private readonly url: string,
  ) {}

  static async open(
    browser: Browser,
    { url }: { url: string },
    options: BrowserContextOptions = {},
  ): Promise<Desk> {
    const context = await browser.newContext({
      baseURL: url,
      viewport: { width: 1280, height: 800 },
      ...options,
    });
    const desk = new Desk(context, url);
    context.on('console', (message) => {
      const said = message.text();
      if (message.type() === 'error' && !desk.#forgiven.some((noise) => noise.test(said)))
        desk.complaints.push(said);
    });
    context.on('weberror', (error) => desk.complaints.push(String(error.error())));
    return desk;
  }

  /** Signed in as somebody who has a session already. */
  static openFor(
    person: Signed,
    browser: Browser,
    api: { url: string },
    options: BrowserContextOptions = {},
  ): Promise<Desk> {
    const { user, token } = person;
    const takenAt = Date.now();
    const expiresAt = new Date(takenAt + 30 * 86_400_000).toISOString();
    const session = { name: 'tokencast.session', value: JSON.stringify({ user, token, expiresAt, takenAt }) };
    const origin = { origin: new URL(api.url).origin, localStorage: [session] };
    return Desk.open(browser, api, { storageState: { cookies: [], origins: [origin] }, ...options });
  }

  /** What the browser may say in this test, which causes it. */
  forgive(noise: RegExp): void {
    this.#forgiven.push(noise);
  }

  /** A new window on a path of the page. */
  async window(path = '/'): Promise<Window> {
    const page = await this.context.newPage();
    await page.goto(new URL(path, this.url).href);
    return new Window(page);
  }

  /** A new window on a conversation, once it is live. */
  async room(conversationId: string): Promise<Window> {
    const window = await this.window(`/c/${conversationId}`);
    await window.live.waitFor({ state: 'attached' });
    return window;
  }

  /** Forgets the complaints about answers with these statuses, which were provoked. At least one there must be. */
  expectRefusals(...statuses: number[]): void {
    for (const status of statuses) {
      const said = (complaint: string) => complaint.includes(`responded with a status of ${status}`);
      if (!this.complaints.some(said)) throw new Error(`no answer had the status ${status}`);
      this.complaints.splice(0, Infinity, ...this.complaints.filter((complaint) => !said(complaint)));
    }
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}

/** One window of the page, by what a person finds in it. */
export class Window {
  readonly composer: Locator;
  /** The answers of the log, oldest first. */
  readonly answers: Locator;
  /** Of the newest answer. */
  readonly answerText: Locator;
  readonly messages: Locator;
  /** There while the room is watched without a break. */
  readonly live: Locator;
  readonly connection: Locator;

  constructor(readonly page: Page) {
    this.composer = page.getByRole('textbox', { name: 'Message' });
    this.answers = page.getByTestId('answer');
    this.answerText = this.answers.last().getByTestId('answer-text');
    this.messages = page.getByTestId('message');
    this.connection = page.getByTestId('connection');
    this.live = page.locator('[data-testid="connection"]:is([data-look="live"], [data-look="caught-up"])');
  }

  /** The newest answer when it looks like this. */
  answer(state: 'writing' | 'complete' | 'partial' | 'unanswered'): Locator {
    return this.page.locator(`[data-testid="answer"][data-state="${state}"]`).last();
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** The conversation of the address. */
  get conversationId(): string {
    const id = /\/c\/([0-9a-f-]+)/.exec(this.page.url())?.[1];
    if (!id) throw new Error(`${this.page.url()} is no room`);
    return id;
  }

  /** Waits until the newest answer has so many characters on the screen. */
  async hasWritten(characters: number): Promise<void> {
    await this.page.waitForFunction(
      (wanted) => {
        const texts = document.querySelectorAll('[data-testid="answer"] [data-testid="answer-text"]');
        return (texts[texts.length - 1]?.textContent ?? '').length >= wanted;
      },
      characters,
      { polling: 'raf' },
    );
  }

  /** The words of the newest answer, as they stand in the document. */
  async words(): Promise<string> {
    return (await this.answerText.textContent()) ?? '';
  }
}

/** Whether the keyboard goes to it. */
export const hasFocus = (locator: Locator): Promise<boolean> =>
  locator.evaluate((element) => element === document.activeElement);
