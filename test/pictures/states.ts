import type { Page } from 'playwright-core';
import type { UpstreamRequest } from '../support/upstream.js';
import { CuttableLine, marksOfConnection } from './connection.js';
import * as texts from './texts.js';
import type { World } from './world.js';

/** One state of the page, alone. */
export interface State {
  caption: string;
  /** What is left out beside the sidebar. */
  without?: string;
  /** Where it stands in the window, when it is no part of the column: from the left, in px. */
  left?: number;
  set: (world: World) => Promise<Page>;
}

export const cell = { width: 442, height: 272 };
const head = '.room-header';
const foot = '.room-foot';
const typing = '.typing-line';
/** Leaves the newest row alone. */
const before = '.log > :not(:last-child)';
const wide = { viewport: { width: 1000, height: cell.height } };

/** A new room of Ada's, with these people in it, in a window of hers. */
async function open(world: World, name: string, body: Parameters<World['converse']>[2] = {}) {
  const id = await world.converse(name, ['Noor', 'Tomás', 'Wim', 'Ilse'], body);
  const noor = world.watch('Noor', id, 2);
  world.watch('Tomás', id);
  const desk = await world.desk(wide);
  return { id, desk, noor, window: await desk.room(id) };
}

export const states: readonly State[] = [
  {
    caption: 'Empty room',
    without: `${head}, ${foot}, ${typing}`,
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
    without: `${head}, ${foot}, ${before}`,
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
    without: `${head}, ${foot}, ${before}`,
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
    caption: 'Budget used up: remarks still work',
    without: `${head}, .log-column`,
    set: async (world) => {
      await world.spendAll('Ilse');
      const id = await world.people.Ilse.converse({ title: 'Spent', model: 'claude-sonnet-4-5' });
      const desk = await world.desk(wide, { name: 'Ilse' });
      const { page } = await desk.room(id);
      await page.getByTestId('spent-note').waitFor();
      return page;
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
      await page.locator('[data-caret]', { hasText: 'never looks at what' }).waitFor();
      return page;
    },
  },
  {
    caption: 'Scrolled up: the view stays, the button counts',
    without: `${head}, ${foot}`,
    set: async (world) => {
      const { id, window } = await open(world, 'Scrolled');
      let goOn = () => {};
      const scrolled = new Promise<void>((resolve) => (goOn = resolve));
      world.model.on('Tell me all of it', async (request) => {
        request.text('From the beginning: ');
        await scrolled;
        request.text('row after row goes into the response and stays there, '.repeat(15));
      });
      await world.remark('Ilse', id, texts.remarks.ilse);
      await world.remark('Tomás', id, texts.remarks.tomas);
      await world.people.Noor.ask(id, 'Tell me all of it');
      await window.page.getByText('From the beginning:').first().waitFor();
      await window.page.getByRole('log').evaluate((log) => (log.scrollTop = 0));
      await window.page.getByRole('button', { name: 'Newest' }).waitFor();
      goOn();
      await window.page.getByText(/\d\d new words/).waitFor();
      return window.page;
    },
  },
  {
    caption: 'Connection, in the header',
    set: marksOfConnection,
  },
  {
    caption: 'Caught up: the missed stretch is stitched, then fades to plain',
    without: `${head}, ${foot}`,
    set: async (world) => {
      const id = await world.converse('Caught up', ['Noor']);
      const desk = await world.desk(wide);
      const line = await CuttableLine.of(desk.context);
      const { page } = await desk.room(id);
      const asked = new Promise<UpstreamRequest>((resolve) => {
        world.model.on('Where does it sit?', resolve);
      });
      await world.people.Ada.ask(id, 'Where does it sit?');
      const request = await asked;
      request.text('It sits in the response buffers. ');
      await page.getByText('It sits in the response buffers.').first().waitFor();
      await line.cut();
      await page.getByText(/^Held at/).waitFor();
      const missed =
        '`res.write()` returns `false` when the socket is full and the loop ignores it, so each stalled download keeps about 16 MB. Wait for `drain` before the next row and';
      for (const word of missed.split(/(?<= )/)) request.text(word);
      await line.mend();
      await page.getByTestId('missed').waitFor();
      return page;
    },
  },
  {
    caption: 'Who is here: one tick for each window, hollow when gone',
    without: `${foot}, .log-column, .room-header > :not(.presence, h1), .room-header h1 *`,
    set: async (world) => {
      const { id, window, noor } = await open(world, 'Presence');
      world.watch('Wim', id, 3);
      await window.page.getByRole('button', { name: '4 people here' }).click();
      await window.page.getByTestId('member').filter({ hasText: 'Ilse' }).getByText('not here').waitFor();
      noor.setTyping(true);
      await window.page.getByTestId('member').getByText('typing', { exact: true }).waitFor();
      return window.page;
    },
  },
  {
    caption: 'Structured object, still growing',
    without: `${head}, ${foot}, ${typing}, ${before}, .status`,
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
    without: `${head}, ${foot}, ${typing}, ${before}`,
    set: async (world) => {
      const { id, window } = await open(world, 'Table', { messages: [...texts.tooLong] });
      const written =
        'What one stalled download keeps:\n\n| Place | Held | Until |\n|-|-|-|\n| Response buffer | 16 MB | drain or close |\n| Cursor batch | 1.2 MB | next read |\n| Socket, ker';
      world.model.on('What does one keep?', (request) => void request.text(written));
      await world.people.Noor.ask(id, 'What does one keep?');
      await window.page.locator('td', { hasText: 'Socket, ker' }).waitFor();
      await window.page.locator('[data-code="history_cut"]').waitFor();
      return window.page;
    },
  },
  {
    caption: 'Clear the history: one question, the safe answer has the focus',
    left: (wide.viewport.width - cell.width) / 2,
    without: '.shell, .backdrop',
    set: async (world) => {
      const { id, window } = await open(world, 'Clear', {
        messages: Array.from({ length: 46 }, () => texts.earlier).flat(),
      });
      world.model.on('One more', (request) => void request.text('It goes on'));
      await world.people.Noor.ask(id, 'One more');
      await window.page.getByText('It goes on').first().waitFor();
      await window.page.getByRole('button', { name: 'More', exact: true }).click();
      await window.page.getByRole('menuitem', { name: 'Clear the history' }).click();
      await window.page.getByText('One running answer is stopped.').waitFor();
      return window.page;
    },
  },
];
