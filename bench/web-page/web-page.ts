import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { Desk, launchBrowser } from '../../test/e2e/browser.js';
import { Person } from '../../test/support/person.js';
import { startSystem, type System } from '../../test/support/system.js';
import { startUpstream, type Upstream, type UpstreamRequest } from '../../test/support/upstream.js';
import { median, table } from '../lib/statistics.js';
import type { Part, PartOptions } from '../part.js';
import { chapter, chapterWords, endOf, inChunks } from './answer.js';

const chapters = 10;
const wordsPerChunk = 4;
/** Slower than the page draws: every chunk is drawn by itself. */
const chunksPerSecond = 40;

/** The chapters of which the cost is told; the others are written at once. */
const measured = { first: 0, middle: chapters / 2, last: chapters - 1 } as const;
type Place = keyof typeof measured;
const places = Object.keys(measured) as Place[];

/** What a chunk costs the main thread of the page, in ms of the processor. */
interface Cost {
  task: number;
  script: number;
  style: number;
  layout: number;
}
const kinds = { task: 'all', script: 'script', style: 'style', layout: 'layout' } as const;

/**
 * What a chunk of an answer of 10,000 words costs the page that shows it, in its first, middle and last thousand words:
 * time of the processor on the main thread of a real Chromium, for prose, code, lists and tables as models write them.
 */
export const webPage: Part = {
  name: 'web-page',
  title: 'The web page',
  measure: async (options) => report(await measureAll(options)),
};

async function measureAll({ stores, rounds }: PartOptions): Promise<Record<Place, Cost>[]> {
  const upstream = await startUpstream();
  const browser = await launchBrowser(['--no-sandbox', '--disable-gpu', '--disable-background-networking']);
  const { redisUrl, postgresUrl: databaseUrl } = stores;
  const system = await startSystem({ upstream, redisUrl, databaseUrl });
  try {
    const samples: Record<Place, Cost>[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const sample = await measure(system, upstream, browser);
      const told = places.map((place) => `${place} ${sample[place].task.toFixed(2)} ms`).join(', ');
      console.log(`round ${round}, a chunk: ${told}`);
      samples.push(sample);
    }
    return samples;
  } finally {
    await browser.close();
    await system.stop();
    await upstream.close();
  }
}

/** Streams one answer into a page of its own. */
async function measure(system: System, upstream: Upstream, browser: Browser): Promise<Record<Place, Cost>> {
  const person = await Person.signIn(system.api(), 'Ada');
  // What is loaded with the first code is there before the answer begins.
  const conversationId = await person.converse({
    messages: [
      { role: 'user', content: 'What is it?' },
      { role: 'assistant', content: chapter(chapters) },
    ],
  });
  const desk = await Desk.openFor(person, browser, system.api());
  try {
    const { page } = await desk.room(conversationId);
    await page.locator('.tok-kw').first().waitFor();
    const metrics = await page.context().newCDPSession(page);
    await metrics.send('Performance.enable', { timeDomain: 'threadTicks' });
    await person.ask(conversationId, 'Tell me all of it', { maxTokens: 60_000 });
    const request = await upstream.nextRequest();
    const costs: Partial<Record<Place, Cost>> = {};
    for (let number = 0; number < chapters; number += 1) {
      const place = places.find((each) => measured[each] === number);
      if (place) costs[place] = await costOf(metrics, page, request, number);
      else await writeAtOnce(page, request, number);
    }
    request.stop();
    return costs as Record<Place, Cost>;
  } finally {
    await desk.close();
  }
}

async function costOf(
  metrics: CDPSession,
  page: Page,
  request: UpstreamRequest,
  number: number,
): Promise<Cost> {
  const chunks = inChunks(chapter(number), wordsPerChunk);
  const before = await spentMs(metrics);
  const startedAt = performance.now();
  for (const [n, chunk] of chunks.entries()) {
    const waitMs = startedAt + (n * 1000) / chunksPerSecond - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    request.text(chunk);
  }
  await shown(page, number);
  const after = await spentMs(metrics);
  const each = (kind: keyof Cost) => (after[kind] - before[kind]) / chunks.length;
  return { task: each('task'), script: each('script'), style: each('style'), layout: each('layout') };
}

async function writeAtOnce(page: Page, request: UpstreamRequest, number: number): Promise<void> {
  request.text(chapter(number));
  await shown(page, number);
}

/** Waits until a chapter stands on the page to its end, and nothing of it is left to be drawn. */
async function shown(page: Page, number: number): Promise<void> {
  await page.getByTestId('answer').last().getByText(endOf(number)).waitFor();
  await page.evaluate(
    () =>
      new Promise((drawn) =>
        requestAnimationFrame(() =>
          requestAnimationFrame(() => {
            drawn(null);
          }),
        ),
      ),
  );
}

async function spentMs(metrics: CDPSession): Promise<Cost> {
  const { metrics: found } = await metrics.send('Performance.getMetrics');
  const ms = (name: string) => (found.find((metric) => metric.name === name)?.value ?? NaN) * 1000;
  return {
    task: ms('TaskDuration'),
    script: ms('ScriptDuration'),
    style: ms('RecalcStyleDuration'),
    layout: ms('LayoutDuration'),
  };
}

function report(samples: readonly Record<Place, Cost>[]): string {
  const cell = (place: Place, kind: keyof Cost) =>
    median(samples.map((sample) => sample[place][kind])).toFixed(2);
  const ratio = (kind: keyof Cost) =>
    median(samples.map(({ first, last }) => last[kind] / first[kind])).toFixed(2);
  const rows = (Object.keys(kinds) as (keyof Cost)[]).map((kind) => [
    kinds[kind],
    ...places.map((place) => cell(place, kind)),
    ratio(kind),
  ]);
  return [
    `An answer of ${(chapters * chapterWords).toLocaleString('en')} words (prose, code, lists, tables) streams into the real page in Chromium, ${wordsPerChunk} words a chunk, ${chunksPerSecond} chunks a second. Milliseconds of the processor on the page's main thread for each chunk, in one thousand words; medians over the rounds, the ratio within a round.`,
    table(['of it', ...places.map((place) => `${place} thousand words`), 'last : first'], rows),
  ].join('\n\n');
}
