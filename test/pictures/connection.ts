import type { BrowserContext, Page, WebSocketRoute } from 'playwright-core';
import type { World } from './world.js';

/** Whatever a room is watched by. */
const watching = /socket\.io|\/events|\/messages\?/;

/** The line between a browser and the server, that can be cut and mended. */
export class CuttableLine {
  readonly #sockets = new Set<WebSocketRoute>();
  #isCut = false;

  private constructor(private readonly context: BrowserContext) {}

  static async of(context: BrowserContext): Promise<CuttableLine> {
    const line = new CuttableLine(context);
    await context.routeWebSocket(/socket\.io/, (socket) => {
      line.#take(socket);
    });
    return line;
  }

  async cut(): Promise<void> {
    this.#isCut = true;
    await this.context.route(watching, (route) => route.abort());
    for (const socket of this.#sockets) await socket.close();
    this.#sockets.clear();
  }

  async mend(): Promise<void> {
    this.#isCut = false;
    await this.context.unroute(watching);
  }

  #take(socket: WebSocketRoute): void {
    if (this.#isCut) {
      void socket.close();
      return;
    }
    socket.connectToServer();
    this.#sockets.add(socket);
  }
}

const meanings = [
  'solid: you see what everyone sees',
  'broken; click tries at once',
  'hollow; drafts are kept',
  '4 s, then Live',
  'renewed silently; shown if that fails',
];

/** The mark of the connection in each of its states, as a page of each shows it, under one another. */
export async function marksOfConnection(world: World): Promise<Page> {
  const id = await world.converse('Connection', ['Noor']);
  const desk = await world.desk({ viewport: { width: 1000, height: 272 } });
  const line = await CuttableLine.of(desk.context);
  const { page, connection } = await desk.room(id);
  const marks: string[] = [];
  const keep = async (words: RegExp, mark = connection) => {
    await mark.getByText(words).waitFor();
    marks.push(await mark.evaluate((element) => element.outerHTML));
  };
  await keep(/^Live$/);
  await line.cut();
  await keep(/^Reconnecting in \d+ s$/);
  await desk.context.setOffline(true);
  await keep(/^Offline$/);
  for (let n = 1; n <= 106; n++) await world.remark('Noor', id, `Row ${n}`);
  await line.mend();
  await desk.context.setOffline(false);
  await keep(/^Caught up, \d+ events$/);

  const ending = await world.desk({}, { endsInSeconds: 60 });
  await ending.context.route('**/sessions/refresh', (route) => route.abort());
  const last = await ending.window(`/c/${id}`);
  await keep(/^Session ends in/, last.connection);
  await ending.close();

  await page.locator('.room').evaluate(
    (room, rows) => {
      room.innerHTML = `<div style="display: grid; grid-template-columns: max-content 1fr; gap: 14px 40px; align-items: center; justify-items: start; padding: 20px 12px; font-size: 12px; color: var(--ink3)">${rows
        .map(([mark, meaning]) => `${mark}<span>${meaning}</span>`)
        .join('')}</div>`;
    },
    marks.map((mark, n) => [mark, meanings[n]] as const),
  );
  return page;
}
