import { setTimeout as sleep } from 'node:timers/promises';
import type { BrowserContextOptions, Page } from 'playwright-core';
import type { Document } from '../../src/client/index.js';
import { makePdf, makeScannedPdf } from '../support/pdf-file.js';
import { fixtureFile } from '../support/fixtures.js';
import type { Desk, Window } from '../e2e/browser.js';
import { analyst, reader, reckon, write } from './model.js';
import * as texts from './texts.js';
import type { World } from './world.js';

export const desktop = { viewport: { width: 1440, height: 900 } };
export const tablet = { viewport: { width: 820, height: 1100 } };
export const phone = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};

/** What a picture is taken of. */
export interface Shot {
  desk: Desk;
  page: Page;
}

interface RoomOptions {
  screen: BrowserContextOptions;
  api?: number;
  question?: string;
  answer?: string;
}

/** The room of pictures 1 to 3: an answer that is being written, two questions in line, somebody who types. */
export async function room(
  world: World,
  { screen, api, question = texts.question, answer = texts.answer }: RoomOptions,
): Promise<Shot & { window: Window; id: string; type: () => Promise<void> }> {
  const { people, model } = world;
  const id = await world.converse(texts.title, ['Noor', 'Tomás', 'Ilse'], { messages: [...texts.earlier] });
  await world.remark('Ilse', id, texts.remarks.ilse);
  await world.remark('Tomás', id, texts.remarks.tomas);
  await world.age(id, [1, 5, 12, 13]);
  const noor = world.watch('Noor', id, 2);
  world.watch('Tomás', id);
  const desk = await world.desk(screen, { api });
  const window = await desk.room(id);
  model.on(question, reckon(answer));
  const options = { tools: ['calculator'], thinking: { type: 'adaptive' as const } };
  await people.Ada.ask(id, question, options);
  await people.Noor.ask(id, texts.waiting.noor);
  await people.Tomás.ask(id, texts.waiting.tomas);
  await window.page.getByTestId('waiting').nth(1).waitFor();
  await window.page
    .locator('.code-block code', { hasText: /(retu|drai)$/ })
    .locator('.tok-kw')
    .first()
    .waitFor();
  const type = async () => {
    const line = window.page.getByTestId('typing').getByText('Noor is typing');
    noor.setTyping(false);
    await line.waitFor({ state: 'detached' });
    noor.setTyping(true);
    await line.waitFor();
  };
  await world.markRead(id);
  return { desk, window, page: window.page, id, type };
}

/** Ends what runs in a room, so that the next picture has its own. */
export async function leave(world: World, { desk, id }: { desk: Desk; id: string }): Promise<void> {
  await desk.close();
  await world.people.Ada.http.deleteConversation(id);
}

interface Chapter {
  title: string;
  paragraphs: readonly string[];
}

/** A file of the kind that its name says. */
async function fileOf(name: string, chapters: readonly Chapter[]): Promise<Blob> {
  const title = name.replace(/\.\w+$/, '').replaceAll('-', ' ');
  if (name.endsWith('.pdf'))
    return new Blob([
      new Uint8Array(await makePdf('', chapters, { runningHead: title, pagePerChapter: true })),
    ]);
  const [open, close, begin, end] = name.endsWith('.html')
    ? ['<h2>', '</h2>', '<p>', '</p>']
    : ['## ', '', '', ''];
  return new Blob([
    chapters
      .map((one) =>
        [open + one.title + close, ...one.paragraphs.map((text) => begin + text + end)].join('\n\n'),
      )
      .join('\n\n'),
  ]);
}

const plainChapters = (count: number): Chapter[] =>
  Array.from({ length: count }, (_, n) => ({
    title: `Chapter ${n + 1}`,
    paragraphs: [
      'It says what was found there, by whom and when, and leaves what it costs to a later chapter.',
    ],
  }));

/** Puts documents into the list that are done with, and begins the one that is read. Its id. */
export async function library(world: World): Promise<Document> {
  const { model, people } = world;
  const { http } = people.Ada;
  const stands = async (id: string, stand: (document: Document) => boolean) => {
    for (;;) {
      const document = await http.getDocument(id);
      if (stand(document)) return document;
      await sleep(50);
    }
  };
  for (const entry of texts.documents) {
    const { name, sections, daysAgo, stopsAfter } = entry;
    const [cue, part] = analyst(entry);
    let calls = 0;
    model.on(cue, (request) => {
      if (stopsAfter === undefined || calls++ < stopsAfter) return part(request);
    });
    const { id } = await http.uploadDocument(await fileOf(name, plainChapters(sections)), { name });
    if (stopsAfter !== undefined) {
      await stands(id, ({ progress }) => progress.sectionsDone === stopsAfter);
      await http.cancelDocument(id);
    }
    await stands(id, ({ status }) => status === 'completed' || status === 'cancelled');
    await world.ageDocument(id, daysAgo);
  }
  const name = 'tidal-barrier-feasibility.pdf';
  model.on(`<document-name>\\n${name}\\n`, reader);
  const chapters = texts.sections.map(({ title, source }) => ({ title, paragraphs: source }));
  const { id } = await http.uploadDocument(await fileOf(name, chapters), { name });
  const read = await stands(
    id,
    ({ sections }) =>
      sections[8]?.status === 'failed' && [10, 11, 12].every((n) => sections[n]?.status === 'running'),
  );
  await http.uploadDocument(await fileOf('harbour-survey-2019.html', plainChapters(6)), {
    name: 'harbour-survey-2019.html',
  });
  return read;
}

/** Picture 4: a document that is being read, beside its source; one file on its way, one refused. */
export async function documents(world: World, { id }: Document): Promise<Shot> {
  const desk = await world.desk(desktop);
  const { page } = await desk.window(`/documents/${id}#section-11`);
  await page.getByText('bn, with').first().waitFor();
  await page.locator('[data-marked="true"]').first().waitFor();
  const scanned = await makeScannedPdf(
    Buffer.from(await (await fixtureFile('picture.png')).arrayBuffer()),
    2,
  );
  const files = page.getByTestId('files');
  await files.setInputFiles({ name: 'scan-permit-1987.pdf', mimeType: 'application/pdf', buffer: scanned });
  await page.getByTestId('upload').locator('[role=alert]').waitFor();
  const devtools = await page.context().newCDPSession(page);
  const limitUpload = (bytesPerSecond: number) =>
    devtools.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: bytesPerSecond,
    });
  await limitUpload(70_000);
  await files.setInputFiles({
    name: 'grid-connection-letters.docx',
    mimeType: 'application/octet-stream',
    buffer: Buffer.alloc(4.1 * 1024 * 1024, 'letters '),
  });
  await page.locator('#section-8').evaluate((row) => {
    row.scrollIntoView({ block: 'start' });
  });
  await page.getByText(/^Uploading 5\d %/).waitFor();
  return { desk, page };
}

/** Picture 7. */
export async function usage(world: World): Promise<Shot> {
  const desk = await world.desk(desktop);
  const { page } = await desk.window('/usage');
  await page.getByText('By conversation').waitFor();
  return { desk, page };
}

/** Picture 5: a second version of some code, as it is written. */
export async function workshop(world: World): Promise<Shot> {
  const { people, model } = world;
  const { title, first, change, version1, version2 } = texts.workshop;
  const id = await world.converse(title, ['Noor']);
  model.on(first, async (request) => {
    await sleep(300);
    await write(request, version1, 900);
    request.stop();
  });
  model.on(change, async (request) => {
    await sleep(290);
    await write(request, version2, 88);
  });
  const { generation } = await people.Ada.ask(id, first);
  await people.Ada.ended(generation.id);
  await world.age(id, [2, 3]);
  world.watch('Noor', id);
  const desk = await world.desk(desktop);
  const { page } = await desk.window(`/workshop/${id}`);
  await page.getByText('version 1, 96 lines').waitFor();
  await people.Noor.ask(id, change, { maxTokens: 600 });
  await page.getByText('copyPa').first().waitFor();
  return { desk, page };
}
