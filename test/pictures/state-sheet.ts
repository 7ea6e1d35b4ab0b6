import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { cell, states, type State } from './states.js';
import type { World } from './world.js';

/** Shows one state in the place of a cell: as wide, without what stands beside it. */
async function frame(page: Page, { without, left }: State): Promise<void> {
  const gone = [left === undefined && '.sidebar', without].filter(Boolean).join();
  const narrow = `.shell { grid-template-columns: minmax(0, 1fr) !important; width: ${cell.width}px }`;
  await page.addStyleTag({
    content: `${gone} { display: none !important } ${left === undefined ? narrow : ''}`,
  });
}

/** Takes every state in both schemes, and lays each scheme out on a sheet of its own. */
export async function stateSheets(world: World): Promise<Record<'light' | 'dark', Page>> {
  const taken = { light: [] as string[], dark: [] as string[] };
  for (const state of states) {
    console.log(state.caption);
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
  const page = await world.sheet({ viewport: { width: 1440, height: 20 + rows * 324 } });
  const [bg, hair, ink] = paper[scheme];
  const font = await readFile(createRequire(import.meta.url).resolve(fontFile), 'base64');
  await page.setContent(`<style>
    @font-face { font-family: Geist; font-weight: 100 900; src: url(data:font/woff2;base64,${font}) }
    body { display: grid; grid-template-columns: repeat(3, ${cell.width}px); gap: 26px 24px; margin: 28px 32px;
      background: ${bg}; color: ${ink}; font: 500 12px/16px Geist, system-ui, sans-serif }
    figure { margin: 0 } figcaption { margin-bottom: 10px }
    img { box-sizing: border-box; width: ${cell.width}px; height: ${cell.height}px; border: 1px solid ${hair}; border-radius: 10px }
  </style>${figures.join('')}`);
  return page;
}
