/** Lets several handlers listen to one generation, each on its own connection and none knowing of the others. */
import type { RoomEvent } from '../src/client/index.js';
import { signIn, textIn } from './support.js';

const { http, events } = await signIn('Ada');
const { id } = await http.createConversation({ title: 'Many ears' });
const { generation } = await http.sendMessage(id, { content: 'Tell me 200 words.' });

type Handler = (stream: AsyncIterable<RoomEvent>) => Promise<void>;

/** Writes the text somewhere. */
const write: Handler = async (stream) => {
  let text = '';
  for await (const event of stream) text += textIn(event);
  console.log(`[writer]  has ${text.length} characters: "${text.slice(0, 40).trim()}…"`);
};

/** Hears of figures alone. */
const measure: Handler = async (stream) => {
  let told = 0;
  for await (const event of stream) {
    if (event.type === 'generation.progress') told += 1;
    if (event.type === 'generation.completed')
      console.log(`[meter]   was told ${told} times; at the end:`, event.generation.metrics);
  }
};

/** Leaves as soon as it knows enough, which disturbs nobody. */
const lookFor =
  (word: string): Handler =>
  async (stream) => {
    let text = '';
    for await (const event of stream) {
      text += textIn(event);
      if (!text.includes(word)) continue;
      console.log(`[watcher] saw "${word}" after ${text.length} characters and leaves`);
      return;
    }
    console.log(`[watcher] never saw "${word}"`);
  };

const handlers = [write, measure, lookFor('the')];
await Promise.all(
  handlers.map((handler) => handler(events(`/v1/generations/${generation?.id ?? ''}/events`))),
);
