/**
 * How fast the product is where people feel it, with a model that costs no time of its own:
 *
 * - from the model's first token to a client's first chunk, over a socket and over an event stream;
 * - from the request that cancels to the closed connection to the model, whether the model talks or is silent.
 *
 * Runs the built program (`npm start`) on embedded stores of its own: `npm run bench:latency [rounds]`.
 */
import { Person } from '../test/support/person.js';
import type { UpstreamRequest } from '../test/support/upstream.js';
import { ask, firstDelta, startProgram, summary, type Row } from './program.js';

const rounds = Number(process.argv[2] ?? 200);
const warmUpRounds = 20;

const { url, upstream, stop } = await startProgram();
const modelAsked = () => upstream.nextRequest();
try {
  console.table(await measure(await Person.signIn({ url }, 'Bench')));
} finally {
  await stop();
}

async function measure(person: Person): Promise<Record<string, Row>> {
  const conversationId = await person.converse();
  const socket = person.socket(conversationId);
  const stream = person.eventStream(conversationId);
  await Promise.all([socket.connect(), stream.connect()]);

  const firstChunk = { socket: [] as number[], stream: [] as number[] };
  const closing = { talking: [] as number[], silent: [] as number[] };
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    const answered = await ask(person, conversationId, modelAsked);
    const beganAtMs = performance.now();
    answered.model.text('first');
    const [socketMs, streamMs] = await Promise.all(
      [socket, stream].map(async (client) => (await firstDelta(client, answered.id)) - beganAtMs),
    );
    answered.model.stop();
    await Promise.all([socket.ended(answered.id), stream.ended(answered.id)]);

    const talking = await ask(person, conversationId, modelAsked);
    talking.model.text('some text');
    await firstDelta(socket, talking.id);
    const talkingMs = await cancel(person, talking);
    await socket.ended(talking.id);

    const silent = await ask(person, conversationId, modelAsked);
    silent.model.hang();
    const silentMs = await cancel(person, silent);
    await Promise.all([socket.ended(silent.id), stream.ended(silent.id)]);

    // What is recorded is searched for every event: it stays short.
    for (const client of [socket, stream]) client.events.length = 0;
    if (round < 0 || socketMs === undefined || streamMs === undefined) continue;
    firstChunk.socket.push(socketMs);
    firstChunk.stream.push(streamMs);
    closing.talking.push(talkingMs);
    closing.silent.push(silentMs);
  }
  person.leave();
  return {
    'first token → first chunk, socket': summary(firstChunk.socket),
    'first token → first chunk, event stream': summary(firstChunk.stream),
    'cancel → model closed, talking': summary(closing.talking),
    'cancel → model closed, silent': summary(closing.silent),
  };
}

async function cancel(
  person: Person,
  { id, model }: { id: string; model: UpstreamRequest },
): Promise<number> {
  const beganAtMs = performance.now();
  const [closedAtMs] = await Promise.all([model.closed, person.http.cancelGeneration(id)]);
  return closedAtMs - beganAtMs;
}
