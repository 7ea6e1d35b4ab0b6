/** Gets the answer sentence by sentence, as speech or a translator wants it, instead of piece by piece. */
import { signIn, textIn } from './support.js';

const { http, events } = await signIn('Ada');
const { id } = await http.createConversation({ title: 'Read aloud' });
const { generation } = await http.sendMessage(id, {
  content: 'Tell me 120 words.',
  // Or `{ by: 'size', characters: 200 }`, or `{ by: 'time', ms: 500 }`; what is left is always sent at the end.
  generate: { flush: { by: 'sentence' } },
});

for await (const event of events(`/v1/generations/${generation?.id ?? ''}/events`)) {
  const sentence = textIn(event);
  if (event.type !== 'generation.chunk' || sentence === '') continue;
  console.log(`${String(event.sentenceIndex ?? '').padStart(3)}  ${JSON.stringify(sentence)}`);
}
