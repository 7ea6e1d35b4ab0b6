import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { parseArgs, promisify } from 'node:util';
import type { Page } from 'playwright-core';
import * as scenes from '../test/pictures/scenes.js';
import * as texts from '../test/pictures/texts.js';
import { stateSheets } from '../test/pictures/state-sheet.js';
import { World } from '../test/pictures/world.js';

/**
 * `npm run pictures -- --only room,phone --to docs/images`: takes the pictures of the documentation (all of them by
 * default) from the running page, into a folder.
 */
const { values } = parseArgs({ options: { only: { type: 'string' }, to: { type: 'string' } } });
const folder = values.to ?? 'docs/images';
const wants = (name: string) => values.only?.split(',').includes(name) ?? true;

type Scheme = 'light' | 'dark';
const both: readonly Scheme[] = ['light', 'dark'];

/** Fewer colours, where ImageMagick is there: a third of the bytes. */
const shrink = (path: string) =>
  promisify(execFile)('convert', [path, '+dither', '-colors', '256', `PNG8:${path}`]).catch(() => undefined);

interface Exposure {
  schemes?: readonly Scheme[];
  /** Waits for what is there for a moment only. */
  when?: () => Promise<unknown>;
}

async function take(page: Page, name: string, { schemes = both, when }: Exposure = {}): Promise<void> {
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() => document.fonts.ready);
    await when?.();
    const path = `${folder}/${name}-${colorScheme}.png`;
    await page.screenshot({ path, animations: 'disabled', caret: 'initial' });
    await shrink(path);
    console.log(path);
  }
}

const world = await World.open();
try {
  await mkdir(folder, { recursive: true });
  await world.furnish();
  if (wants('room') || wants('documents') || wants('usage')) {
    const read = await scenes.library(world);
    await world.spend(read.id);
    const { page, window, type: isTyping, ...room } = await scenes.room(world, { screen: scenes.desktop });
    // Once more: what the room costs has its name only now, and documents went on.
    await world.spend(read.id);
    await window.composer.fill(texts.draft);
    if (wants('room')) await take(page, 'room', { when: isTyping });
    for (const [name, open] of [['documents', scenes.documents] as const, ['usage', scenes.usage] as const]) {
      if (!wants(name)) continue;
      const opened = await open(world, read);
      await take(opened.page, name);
      await opened.desk.close();
    }
    await scenes.leave(world, room);
  }
  if (wants('tablet')) {
    const room = await scenes.room(world, { screen: scenes.tablet });
    await room.window.composer.fill(texts.draft);
    await take(room.page, 'tablet', { schemes: ['light'] });
    await scenes.leave(world, room);
  }
  if (wants('phone')) {
    const { shortQuestion: question, shortAnswer: answer } = texts;
    const room = await scenes.room(world, { screen: scenes.phone, api: 1, question, answer });
    world.system.api(1).kill('SIGKILL');
    const when = () => room.page.getByText('Reconnecting in 3 s').filter({ visible: true }).first().waitFor();
    await take(room.page, 'phone', { when });
    await scenes.leave(world, room);
  }
  if (wants('workshop')) {
    const code = await scenes.workshop(world);
    await take(code.page, 'workshop');
    await code.desk.close();
  }
  if (wants('states')) {
    const sheets = await stateSheets(world);
    for (const scheme of both) await take(sheets[scheme], 'states', { schemes: [scheme] });
  }
} finally {
  await world.close();
}
process.exit(0);
