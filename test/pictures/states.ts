import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import * as texts from './texts.js';
import type { World } from './world.js';

/** One state of the page, alone. */
interface State {
  caption: string;
  /** What is left out beside the sidebar. */
  without?: string;
  /** Where it stands in the window, when it is no part of the column: from the left, in px. */
  left?: number;
  set: (world: World) => Promise<Page>;
}

const cell = { width: 442, height: 272 };
const head = '.room-header';
const foot = '.room-foot';
const wide = { viewport: { width: 1000, height: cell.height } };

/** A new room of Ada's, with these people in it, in a window of hers. */
async function open(world: World, name: string, body: Parameters<World['converse']>[2] = {}) {
  const id = await world.converse(name, ['Noor', 'Tomás', 'Wim', 'Ilse'], body);
  world.watch('Noor', id, 2);
  world.watch('Tomás', id);
  const desk = await world.desk(wide);
  return { id, desk, window: await desk.room(id) };
}

const states: readonly State[] = [
  {
    caption: 'Empty room',
    without: `${head}, ${foot}`,
    set: async (world) => {
      const { window } = await open(world, 'Empty');
      await window.page.getByText('Nothing said yet, Ada').waitFor();
      return window.page;
    },
  },
  {
    caption: 'Loading a room: skeleton only after 200 ms, no shimmer',
    without: `${head}, ${foot}`,
    set: async (world) => {
      const desk = await world.desk(wide);
      await desk.context.routeWebSocket(/socket\.io/, () => undefined);
      const id = await world.converse('Loading');
      const { page } = await desk.window(`/c/${id}`);
      await page.locator('.skeleton').waitFor();
      return page;
    },
  },
  {
    caption: 'Before the first token, with one in line',
    without: `${head}, ${foot}`,
    set: async (world) => {
      const { id, window } = await open(world, 'Before');
      world.model.on('of the Parquet writer', () => undefined);
      await world.people.Noor.ask(id, 'Does the same hold of the Parquet writer?');
      await window.page.getByText(/waiting for claude/).waitFor();
      await window.say('And cap the open downloads per tenant');
      await window.page.getByRole('button', { name: 'Remove from the line' }).waitFor();
      return window.page;
    },
  },
  {
    caption: 'Not sent: text kept, hollow until the server has it',
    without: `${head}, ${foot}`,
    set: async (world) => {
      const { id, window } = await open(world, 'Not sent');
      await world.remark('Tomás', id, 'I can take the test.');
      await window.messages.first().waitFor();
      await window.page.route('**/messages', (route) => route.abort());
      await window.say(
        'Please also check what happens when the client goes away while we wait for the drain.',
      );
      await window.page.getByRole('button', { name: 'Send again' }).waitFor();
      return window.page;
    },
  },
  {
    caption: 'Failed: what was written stays',
    without: `${head}, ${foot}`,
    set: async (world) => {
      const { id, window } = await open(world, 'Failed');
      const written =
        'Yes. The Parquet writer buffers a whole row group before it writes, so the same loop holds up to 128 MB for each download, and';
      const overloaded = { type: 'overloaded_error', message: 'Overloaded' };
      world.model.on('and Parquet?', (request) => {
        const again = request.body.messages.at(-1)?.role === 'assistant';
        void request.text(again ? ' ' : written).error(overloaded);
      });
      await world.people.Noor.ask(id, 'and Parquet?');
      await window.answer('partial').getByRole('button', { name: 'Start over' }).waitFor();
      return window.page;
    },
  },
  {
    caption: 'Cancelled: when, and what is kept',
    without: `${head}, ${foot}`,
    set: async (world) => {
      const { id, window } = await open(world, 'Cancelled');
      world.model.on('Which places?', (request) => {
        request.text(
          'Three places hold the rows of a paused download. First, the response: sixteen megabytes under the default high-water mark. Second, the cursor, which',
        );
      });
      const { generation } = await world.people.Noor.ask(id, 'Which places?');
      await window.page.getByText('the cursor, which').first().waitFor();
      await world.people.Noor.http.cancelGeneration(generation.id);
      await window.answer('partial').getByRole('button', { name: 'Start over' }).waitFor();
      return window.page;
    },
  },
  {
    caption: 'Viewer: reads all, writes nothing',
    without: head,
    set: async (world) => {
      const id = await world.converse('Viewer', ['Wim']);
      const written =
        'It sits in the response buffers, because the loop that writes the rows never looks at what';
      world.watch('Ada', id);
      world.model.on('So where is it?', (request) => void request.text(written));
      await world.people.Ada.ask(id, 'So where is it?');
      const desk = await world.desk(wide, { name: 'Wim' });
      const { page } = await desk.room(id);
      await page.getByText('never looks at what').first().waitFor();
      return page;
    },
  },
  {
    caption: 'Scrolled up: the view stays, the button counts',
    without: `${head}, ${foot}`,
    set: async (world) => {
      const { id, window } = await open(world, 'Scrolled', {
        messages: [...texts.earlier, ...texts.earlier],
      });
      let goOn = () => {};
      const scrolled = new Promise<void>((resolve) => (goOn = resolve));
      world.model.on('Tell me all of it', async (request) => {
        request.text('From the beginning: ');
        await scrolled;
        request.text('row after row goes into the response and stays there, '.repeat(15));
      });
      await world.people.Noor.ask(id, 'Tell me all of it');
      await window.page.getByText('From the beginning:').first().waitFor();
      await window.page.getByRole('log').evaluate((log) => (log.scrollTop = 60));
      goOn();
      await window.page.getByText(/\d\d new words/).waitFor();
      return window.page;
    },
  },
  {
    caption: 'Who is here: one tick for each window, hollow when gone',
    without: foot,
    set: async (world) => {
      const { id, window } = await open(world, 'Presence');
      world.watch('Wim', id, 3);
      await window.page.getByRole('button', { name: '4 people here' }).click();
      await window.page.getByTestId('member').filter({ hasText: 'Ilse' }).getByText('not here').waitFor();
      return window.page;
    },
  },
  {
    caption: 'Structured object, still growing',
    without: `${head}, ${foot}`,
    set: async (world) => {
      const { id, window } = await open(world, 'Invoice');
      const written =
        '{"number": "2025-0417", "currency": "EUR", "lines": [{"text": "Transfer", "amount": 120}, {"text": "Storage, hot tier", "amount": 412';
      world.model.on('Read the invoice', (request) => void request.text(written));
      await world.people.Noor.ask(id, 'Read the invoice', { outputSchema: texts.invoiceSchema });
      await window.page.getByTestId('object-tree').getByText('2 so far').waitFor();
      return window.page;
    },
  },
  {
    caption: 'Table while it streams: widths are held, rows only grow',
    without: `${head}, ${foot}`,
    set: async (world) => {
      const { id, window } = await open(world, 'Table');
      const written =
        'What one stalled download keeps:\n\n| Place | Held | Until |\n|-|-|-|\n| Response buffer | 16 MB | drain or close |\n| Cursor batch | 1.2 MB | next read |\n| Socket, ker';
      world.model.on('What does one keep?', (request) => void request.text(written));
      await world.people.Noor.ask(id, 'What does one keep?');
      await window.page.locator('td', { hasText: 'Socket, ker' }).waitFor();
      return window.page;
    },
  },
  {
    caption: 'Clear the history: one question, the safe answer has the focus',
    left: (wide.viewport.width - cell.width) / 2,
    set: async (world) => {
      const { window } = await open(world, 'Clear', {
        messages: Array.from({ length: 47 }, () => texts.earlier).flat(),
      });
      await window.page.getByRole('button', { name: 'More', exact: true }).click();
      await window.page.getByRole('menuitem', { name: 'Clear the history' }).click();
      await window.page.getByRole('button', { name: 'Keep' }).waitFor();
      return window.page;
    },
  },
];

/** Shows one state in the place of a cell: as wide, without what stands beside it. */
async function frame(page: Page, { without, left }: State): Promise<void> {
  if (left !== undefined) return;
  await page.addStyleTag({
    content: `.sidebar${without ? `, ${without}` : ''} { display: none !important }
      .shell { grid-template-columns: minmax(0, 1fr) !important; width: ${cell.width}px }`,
  });
}

/** Takes every state in both schemes, and lays each scheme out on a sheet of its own. */
export async function stateSheets(world: World): Promise<Record<'light' | 'dark', Page>> {
  const taken = { light: [] as string[], dark: [] as string[] };
  for (const state of states) {
    const page = await state.set(world);
    await frame(page, state);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const clip = { x: state.left ?? 0, y: 0, ...cell };
      const picture = await page.screenshot({ clip, animations: 'disabled' });
      taken[colorScheme].push(
        `<figure><figcaption>${state.caption}</figcaption><img src="data:image/png;base64,${picture.toString('base64')}"></figure>`,
      );
    }
    await page.context().close();
  }
  return { light: await sheet(world, taken.light, 'light'), dark: await sheet(world, taken.dark, 'dark') };
}

const fontFile = '@fontsource-variable/geist/files/geist-latin-wght-normal.woff2';
const paper = { light: ['#fcfcfb', '#e4e4e0', '#4e5155'], dark: ['#101112', '#26282b', '#b4b6b9'] } as const;

async function sheet(world: World, figures: readonly string[], scheme: 'light' | 'dark'): Promise<Page> {
  const rows = Math.ceil(figures.length / 3);
  const page = await world.sheet({
    viewport: { width: 1440, height: 16 + rows * 323 },
    deviceScaleFactor: 1.5,
  });
  const [bg, hair, ink] = paper[scheme];
  const font = await readFile(createRequire(import.meta.url).resolve(fontFile), 'base64');
  await page.setContent(`<style>
    @font-face { font-family: Geist; font-weight: 100 900; src: url(data:font/woff2;base64,${font}) }
    body { display: grid; grid-template-columns: repeat(3, ${cell.width}px); gap: 24px; margin: 24px 32px;
      background: ${bg}; color: ${ink}; font: 500 12px/16px Geist, system-ui, sans-serif }
    figure { margin: 0 } figcaption { margin-bottom: 10px }
    img { box-sizing: border-box; width: ${cell.width}px; height: ${cell.height}px; border: 1px solid ${hair}; border-radius: 10px }
  </style>${figures.join('')}`);
  return page;
}
