/**
 * What documents cost who chats meanwhile: the time from sending a message to the first chunk of its answer, on an idle
 * system and with 200 sections queued or running, in turns. The model begins to answer a chat at once, and takes two seconds
 * for a section.
 *
 * Runs the built program (`npm start`) on embedded stores of its own: `npm run bench:documents [rounds]`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RoomClient } from '../test/support/clients.js';
import { stepOf } from '../test/support/document-model.js';
import { Person } from '../test/support/person.js';
import type { UpstreamRequest } from '../test/support/upstream.js';
import { ask, firstDelta, startProgram, summary } from './program.js';

const rounds = Number(process.argv[2] ?? 200);
const turns = 4;
const warmUpRounds = 20;
const documents = 2;
const sectionsAtOnce = 100;

const { url, upstream, stop } = await startProgram({ DOCUMENT_SECTIONS_AT_ONCE: String(sectionsAtOnce) });
try {
  void readSections();
  // Two people, as the one who uploads has no claim to be served first in chat.
  const reader = await Person.signIn({ url }, 'Reader');
  const chatter = await Person.signIn({ url }, 'Chatter');
  const conversationId = await chatter.converse();
  const socket = chatter.socket(conversationId);
  await socket.connect();
  await chat(chatter, conversationId, socket, warmUpRounds);
  const idle: number[] = [];
  const busy: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    idle.push(...(await chat(chatter, conversationId, socket, rounds / turns)));
    const uploads = Array.from({ length: documents }, (_, n) =>
      reader.http.uploadDocument(new Blob([report()]), { name: `report-${n}.md` }),
    );
    const ids = (await Promise.all(uploads)).map(({ id }) => id);
    const progress = async () =>
      (await Promise.all(ids.map((id) => reader.http.getDocument(id)))).map((document) => document.progress);
    while ((await progress()).some(({ sectionsDone }) => sectionsDone === 0)) await sleep(50);
    busy.push(...(await chat(chatter, conversationId, socket, rounds / turns)));
    const told = (await progress()).map(
      ({ sectionsDone, sectionsTotal }) => `${sectionsDone} of ${sectionsTotal}`,
    );
    console.log(`sections read meanwhile: ${told.join(', ')}`);
    for (const id of ids) await reader.http.cancelDocument(id);
    for (const id of ids) while ((await reader.http.getDocument(id)).status === 'running') await sleep(50);
  }
  chatter.leave();
  console.table({ 'message → first chunk, idle': summary(idle), 'beside 200 sections': summary(busy) });
} finally {
  await stop();
}

/** How long the first chunk of each of some answers took, in ms. */
async function chat(
  person: Person,
  conversationId: string,
  client: RoomClient,
  count: number,
): Promise<number[]> {
  const took: number[] = [];
  const modelAsked = async () =>
    (await upstream.nextRequest(({ body }) => stepOf(body) === undefined)).text('first');
  for (let round = 0; round < count; round += 1) {
    const beganAtMs = performance.now();
    const { id, model } = await ask(person, conversationId, modelAsked);
    took.push((await firstDelta(client, id)) - beganAtMs);
    model.stop();
    await client.ended(id);
    // What is recorded is searched for every event: it stays short.
    client.events.length = 0;
  }
  return took;
}

/** The model's part of the documents. */
async function readSections(): Promise<never> {
  for (;;) void readSection(await upstream.nextRequest(({ body }) => stepOf(body) !== undefined));
}

async function readSection(request: UpstreamRequest): Promise<void> {
  for (let i = 0; i < 40 && !request.ended; i += 1) {
    request.text('What it says. ');
    await sleep(50);
  }
  if (!request.ended) request.stop();
}

function report(): string {
  const text = 'The barrier closes the estuary at spring tides, and opens for ships. '.repeat(30);
  return Array.from({ length: 2 * sectionsAtOnce }, (_, i) => `# Section ${i}\n\n${text}\n`).join('\n');
}
