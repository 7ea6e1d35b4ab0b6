import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The faults of a page that axe calls serious or critical, in the words of its rules. Needs `bypassCSP`. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(source);
  const { violations } = await page.evaluate(
    // Guards pass the focus on at once; axe knows them as such around dialogs alone, not around menus.
    (guards) =>
      (globalThis as unknown as { axe: { run(context: object): Promise<AxeResults> } }).axe.run({
        exclude: [guards],
      }),
    '[data-base-ui-focus-guard]',
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}
