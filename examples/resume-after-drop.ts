/** Drops the connection in the middle of an answer, comes back by the cursor of the last event, and misses nothing. */
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { RoomEvent } from '../src/client/index.js';
import { signIn, textIn, url } from './support.js';

const { http, token } = await signIn('Ada');
const { id } = await http.createConversation({ title: 'A bad line' });
const { generation } = await http.sendMessage(id, { content: 'Tell me 300 words.' });

let text = '';
let cursor: string | undefined;

/** Reads the events of the generation behind `cursor` until `enough` says so, or they end. Answers whether they did. */
async function read(enough: () => boolean): Promise<boolean> {
  const response = await fetch(`${url}/v1/generations/${generation?.id ?? ''}/events`, {
    headers: {
      authorization: `Bearer ${token}`,
      // What an EventSource sends by itself when it reconnects.
      ...(cursor !== undefined && { 'last-event-id': cursor }),
    },
  });
  if (response.status === 204 || !response.body) return true;
  const frames = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  for await (const { id: eventId, data } of frames) {
    const event = JSON.parse(data) as RoomEvent;
    // Events that are not logged, such as progress, have no cursor.
    cursor = eventId ?? cursor;
    // What came before the snapshot is in it: after a drop there is one only where the cursor is too old.
    if (event.type === 'snapshot' && 'generation' in event.snapshot)
      text = (event.snapshot.generation as { text: string }).text;
    text += textIn(event);
    if (enough()) return false; // leaving the loop closes the connection
  }
  return true;
}

for (let drops = 0, until = 300; !(await read(() => text.length >= until)); until += 500) {
  drops += 1;
  console.log(`dropped after ${text.length} characters, at cursor ${cursor ?? 'none'} (${drops})`);
}
const whole = await http.getGeneration(generation?.id ?? '');
console.log(`ended: ${text.length} characters seen, ${whole.text.length} stored`);
console.log(text === whole.text ? 'nothing lost, nothing twice' : 'THEY DIFFER');
