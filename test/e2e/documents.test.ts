import { mkdtempSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Document } from '../../src/client/index.js';
import type { Person } from '../support/person.js';
import type { Answer, UpstreamBody, UpstreamRequest } from '../support/upstream.js';
import { seriousFaults } from './axe.js';
import { Stage } from './stage.js';

const minutes = ['Those present', 'The barrier', 'Next meeting']
  .map((title, i) => `## ${title}\n\nWhat was said under ${i + 1}.\n`)
  .join('\n');
const inFile = (name: string, text: string | Buffer, mimeType = 'text/markdown') => ({
  name,
  mimeType,
  buffer: Buffer.from(text),
});

/** What the model writes about any document, by what it is asked for. */
const answers = {
  'write a summary': 'The council met and decided to build.',
  'points that matter': JSON.stringify({
    keyPoints: [
      { text: 'The barrier is to be built.', sections: [1] },
      { text: 'They meet again.', sections: [2] },
    ],
  }),
  'named things': JSON.stringify({
    entities: [{ name: 'The council', type: 'organisation', sections: [0] }],
  }),
  'reader should do': JSON.stringify({
    recommendations: [{ text: 'Come to the next meeting.', sections: [2] }],
  }),
};
const phases = Object.keys(answers) as (keyof typeof answers)[];

const said = (part: unknown): string => JSON.stringify(part ?? '');
const isAbout = (body: UpstreamBody, name: string) =>
  said(body.messages).includes(`<document-name>\\n${name}\\n`);
const isSection = (body: UpstreamBody, name: string, index: number) =>
  isAbout(body, name) && said(body.messages).includes(`Analyse section ${index}.`);

/** Analyses any document. */
const analyst: Answer = function* (body) {
  const phase = phases.find((words) => said(body.system).includes(words));
  yield phase ? answers[phase] : 'It says who was there, and why.';
};

describe('documents', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tokencast-e2e-'));
  const stage = Stage.set({ env: { DATA_DIR: folder, MAX_UPLOAD_BYTES: '600000' } });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const guests: Person[] = [];
  const arrive = async (options?: BrowserContextOptions) => {
    const guest = await stage.arrive('Ada', options);
    guests.push(guest.person);
    return guest;
  };
  // What a test leaves running would stand in the way of the next.
  afterEach(async () => {
    stage.upstream.answerByHand();
    for (const { http } of guests.splice(0))
      for (const { id } of (await http.listDocuments()).items) await http.deleteDocument(id);
  });

  /** The request for a section or phase of the document with this name. */
  const section = (name: string, index: number): Promise<UpstreamRequest> =>
    stage.upstream.nextRequest(({ body, ended }) => !ended && isSection(body, name, index));
  const phase = (name: string, words: keyof typeof answers): Promise<UpstreamRequest> =>
    stage.upstream.nextRequest(
      ({ body, ended }) => !ended && isAbout(body, name) && said(body.system).includes(words),
    );
  const row = (page: Page, index: number, status: string) =>
    page.locator(`#section-${index + 1}[data-status="${status}"]`);
  const listed = (page: Page, name: string, status: string) =>
    page.locator(`[data-testid="document"][data-status="${status}"]`).filter({ hasText: name });

  /** A document of this person that has been analysed. */
  async function analysed(person: Person, name: string): Promise<Document> {
    stage.upstream.answerWith(analyst);
    const { id } = await person.http.uploadDocument(new Blob([minutes]), { name });
    await expect
      .poll(async () => (await person.http.getDocument(id)).status, { timeout: 30_000 })
      .toBe('completed');
    stage.upstream.answerByHand();
    return person.http.getDocument(id);
  }

  test('fill as they are read, are stopped, resumed and done, and say so in the list and the sidebar', async () => {
    const name = 'minutes.md';
    const { desk } = await arrive();
    const { page } = await desk.window('/documents');
    await page.getByText('No documents yet.').waitFor();
    await page.getByTestId('files').setInputFiles(inFile(name, minutes));
    await page.waitForURL(/\/documents\/[0-9a-f-]{36}$/);
    const [first, second, third] = [await section(name, 0), await section(name, 1), await section(name, 2)];
    await page.getByText('Reading sections: 0 done, 3 running').waitFor();
    first.text('Eleven were ').text('there.');
    await row(page, 0, 'running').locator('[data-caret]').getByText('Eleven were there.').waitFor();
    first.stop();
    await row(page, 0, 'done').getByText('Eleven were there.').waitFor();
    await page.getByRole('link', { name: /^Documents: \d+ %$/ }).waitFor();

    second.text('The barrier is');
    await row(page, 1, 'running').getByText('The barrier is').waitFor();
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await Promise.all([second.closed, third.closed]);
    await page.getByTestId('sentence').getByText('Stopped after 1 of 3 sections').waitFor();
    await row(page, 1, 'cancelled').getByText('stopped, text kept').waitFor();
    await row(page, 1, 'cancelled').getByText('The barrier is').waitFor();

    await page.getByRole('button', { name: `Resume ${name}` }).click();
    (await section(name, 1)).text(' to be built.').stop();
    (await section(name, 2)).text('In May.').stop();
    await row(page, 1, 'done').getByText('The barrier is to be built.').waitFor();

    const summary = await phase(name, 'write a summary');
    await page.getByTestId('sentence').getByText('Writing the summary').waitFor();
    summary.text('The council met');
    await page.getByTestId('phase-summary').locator('[data-caret]').getByText('The council met').waitFor();
    summary.text(' and decided to build.').stop();
    const points = await phase(name, 'points that matter');
    points.text(answers['points that matter'].slice(0, 50));
    await page
      .getByTestId('phase-keyPoints')
      .getByText(/^The barrier is to/)
      .waitFor();
    points.text(answers['points that matter'].slice(50)).stop();
    (await phase(name, 'named things')).text(answers['named things']).stop();
    (await phase(name, 'reader should do')).text(answers['reader should do']).stop();
    await page.getByTestId('percent').getByText('100 %').waitFor();
    await page.getByTestId('phase-entities').getByText('organisation').waitFor();
    await listed(page, name, 'completed')
      .getByText(/^3 sections, \$/)
      .waitFor();
    await page.getByTestId('document-announcer').getByText('The analysis is done.').waitFor();

    // What is cited is found, beside its source.
    await page.getByTestId('phase-recommendations').getByRole('button', { name: 'Section 3' }).click();
    await page.locator('#section-3[data-selected="true"]').waitFor();
    const source = page.getByRole('complementary', { name: 'Source' });
    await source.locator('[data-marked="true"]').getByText('What was said under 3.').waitFor();
    await source.getByRole('button', { name: 'Section before' }).click();
    await source.locator('[data-marked="true"]').getByText('What was said under 2.').waitFor();
    await page.locator('#section-2 .section-title').press('ArrowUp');
    await source.locator('[data-marked="true"]').getByText('What was said under 1.').waitFor();
  });

  test('are taken several at once, chosen or dropped; those that are refused say why', async () => {
    const { desk } = await arrive();
    const { page } = await desk.window('/documents');
    const input = page.getByTestId('files');
    await input.setInputFiles([
      inFile('one.md', minutes),
      inFile('nothing.txt', ''),
      inFile('large.txt', Buffer.alloc(700_000, 'words ')),
      inFile('two.md', minutes),
    ]);
    const refused = (name: string) => page.getByTestId('upload').filter({ hasText: name }).getByRole('alert');
    await refused('nothing.txt').getByText('The file is empty.').waitFor();
    await refused('large.txt').getByText('Too large: it has 684 KB. At most 586 KB are taken.').waitFor();
    await listed(page, 'one.md', 'running').waitFor();
    await listed(page, 'two.md', 'running').waitFor();
    await page.getByRole('button', { name: 'Dismiss nothing.txt' }).click();
    await expect.poll(() => page.getByTestId('upload').count()).toBe(1);
    desk.expectRefusals(413, 422);

    // One that is on its way is broken off.
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: 100_000,
    });
    await input.setInputFiles(inFile('slow.txt', Buffer.alloc(500_000, 'words ')));
    await page.getByText(/^Uploading [1-9]\d? %, \d+ of 488 KB$/).waitFor();
    await page.getByRole('button', { name: 'Cancel the upload of slow.txt' }).click();
    await expect.poll(() => page.getByText('slow.txt').count()).toBe(0);

    const drop = async (type: string) => {
      const dataTransfer = await page.evaluateHandle((text) => {
        const held = new DataTransfer();
        held.items.add(new File([text], 'dropped.md'));
        return held;
      }, minutes);
      await page.dispatchEvent('body', type, { dataTransfer });
    };
    await drop('dragenter');
    await page.getByText('Let go to upload').waitFor();
    await drop('drop');
    await page.getByTestId('document').filter({ hasText: 'dropped.md' }).waitFor();
  });

  test('have a failed section retried alone', async () => {
    const name = 'retried.md';
    const { desk, person } = await arrive();
    const { id } = await person.http.uploadDocument(new Blob([minutes]), { name });
    const { page } = await desk.window(`/documents/${id}`);
    (await section(name, 0)).text('First.').stop();
    (await section(name, 1)).text('No').stop({ stopReason: 'refusal' });
    await row(page, 1, 'failed')
      .getByText(/The other sections go on\.$/)
      .waitFor();
    (await section(name, 2)).text('Third.').stop();
    for (const words of phases)
      (await phase(name, words)).text(answers[words].replaceAll('[1]', '[0]')).stop();
    await listed(page, name, 'completed').getByText('1 of 3 sections failed').waitFor();

    await page.getByRole('button', { name: 'Retry section 2' }).click();
    const again = await section(name, 1);
    expect(stage.upstream.requests.filter(({ body, ended }) => !ended && isSection(body, name, 0))).toEqual(
      [],
    );
    again.text('Second.').stop();
    await row(page, 1, 'done').getByText('Second.').waitFor();
    for (const words of phases) (await phase(name, words)).text(answers[words]).stop();
    await page.getByTestId('sentence').getByText('3 of 3 sections done').waitFor();
  });

  test('are reported, asked about with citations that lead back, and deleted', async () => {
    const { desk, person } = await arrive();
    const { id } = await analysed(person, 'minutes.md');
    const window = await desk.window(`/documents/${id}`);
    const { page } = window;
    const save = async (item: string) => {
      await page.getByRole('button', { name: 'Report' }).click();
      const saving = page.waitForEvent('download');
      await page.getByRole('menuitem', { name: item }).click();
      const saved = await saving;
      return { name: saved.suggestedFilename(), text: await readFile(await saved.path(), 'utf8') };
    };
    const report = await save('Report as Markdown');
    expect(report.name).toBe('minutes-report.md');
    expect(report.text).toContain('- The barrier is to be built. ([2](#section-2))');
    const json = await save('Report as JSON');
    expect(json.name).toBe('minutes-report.json');
    expect((JSON.parse(json.text) as Document).result.recommendations[0]?.sections).toEqual([2]);

    await page.getByRole('button', { name: 'Ask about it' }).click();
    await page.waitForURL(/\/c\/[0-9a-f-]{36}$/);
    await page.getByText('About minutes.md').first().waitFor();
    await window.say('What is to be built?');
    const asked = await stage.upstream.nextRequest(({ ended }) => !ended);
    expect(said(asked.body.system)).toContain('What was said under 2.');
    asked.text('A barrier [\u00A72, \u00A73].').stop();
    await window.answer('complete').getByRole('link', { name: 'Section 2 of the document' }).click();
    await page.waitForURL(`**/documents/${id}#section-2`);
    await page.locator('#section-2[data-selected="true"]').waitFor();
    await page.getByRole('link', { name: 'Usage' }).click();
    await page.getByRole('table').getByRole('link', { name: 'minutes.md', exact: true }).click();
    await page.waitForURL(`**/documents/${id}`);

    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await page.waitForURL(/\/documents$/);
    await page.getByText('No documents yet.').waitFor();
    await page.goto(page.url().replace(/documents$/, `documents/${id}`));
    await page.getByRole('heading', { name: 'There is no such document' }).waitFor();
  });

  test('are on a phone the list, then the document with its source behind a tab, and back', async () => {
    const { desk, person } = await arrive({ viewport: { width: 390, height: 844 } });
    await analysed(person, 'minutes.md');
    const { page } = await desk.window('/documents');
    await listed(page, 'minutes.md', 'completed').getByRole('link').click();
    await page.getByTestId('phase-summary').getByText('decided to build').waitFor();
    expect(await page.getByText('Drop files here').isVisible()).toBe(false);
    const source = page.getByRole('complementary', { name: 'Source' });
    expect(await source.isVisible()).toBe(false);
    await page.locator('label').getByText('Source').click();
    await source.getByText('What was said under 1.').waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await page.getByRole('link', { name: 'All documents' }).click();
    await page.getByText('Drop files here').waitFor();
  });

  test('have no serious fault of accessibility in the light and in the dark', async () => {
    const name = 'half.md';
    const { desk, person } = await arrive({ reducedMotion: 'reduce', bypassCSP: true });
    await analysed(person, 'done.md');
    const { id } = await person.http.uploadDocument(new Blob([minutes]), { name });
    (await section(name, 0)).text('First.').stop();
    (await section(name, 1)).text('No').stop({ stopReason: 'refusal' });
    (await section(name, 2)).text('Third, and');
    const { page } = await desk.window(`/documents/${id}`);
    const expectNoFault = async () => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished)));
        expect(await seriousFaults(page)).toEqual([]);
      }
    };
    await page.getByText('Third, and').waitFor();
    await row(page, 1, 'failed').waitFor();
    await page.locator('[data-marked="true"]').getByText('What was said').waitFor();
    await expectNoFault();
    await listed(page, 'done.md', 'completed').getByRole('link').click();
    await page.getByTestId('phase-summary').getByText('decided to build').waitFor();
    await expectNoFault();
  });
});
