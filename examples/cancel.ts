/** Stops an answer in the middle: what was written is kept, and can be gone on with. */
import { signIn, textIn } from './support.js';

const { http, events } = await signIn('Ada');
const { id } = await http.createConversation({ title: 'Long stories' });
const { generation } = await http.sendMessage(id, { content: 'Tell me 900 words.' });
if (!generation) throw new Error('a question has a generation');

let text = '';
for await (const event of events(`/v1/generations/${generation.id}/events`)) {
  const before = text.length;
  text += textIn(event);
  // From any window, or any other process, of whoever may write in the conversation.
  if (before < 400 && text.length >= 400) await http.cancelGeneration(generation.id);
}
const stopped = await http.getGeneration(generation.id);
console.log(`${stopped.status} (${stopped.stopReason ?? ''}) after ${stopped.text.length} characters:`);
console.log(`…${stopped.text.slice(-60)}`);

const { generation: continued } = await http.continueGeneration(generation.id);
let told = 0;
for await (const event of events(`/v1/generations/${continued.id}/events`))
  if (event.type === 'generation.chunk') told += 1;
const whole = await http.getGeneration(continued.id);
console.log(
  `continued, in the same message: ${whole.status}, ${whole.text.length} characters, ${told} chunks`,
);
