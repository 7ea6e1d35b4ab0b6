import { test } from 'vitest';
import { Stage } from './stage.js';

const stage = Stage.set({ env: { AUTH_MODE: 'jwt' } });

test('where people come from another application, the page says so to who comes without it', async () => {
  const desk = await stage.newDesk();
  const { page } = await desk.window();
  await page.getByRole('textbox', { name: 'Name' }).fill('Ada');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('People come in here through another application. Open it from there.').waitFor();
  desk.expectRefusals(404);
});
