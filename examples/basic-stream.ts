/** Asks, and shows the answer as it is written. */
import { signIn, textIn } from './support.js';

const { http, events } = await signIn('Ada');
const { id } = await http.createConversation({ title: 'First steps' });

// Accepted at once; the answer comes on the event stream of its generation, which ends with it.
const { generation } = await http.sendMessage(id, { content: 'What is a queue?' });
console.log(`accepted: ${generation?.model ?? ''} is ${generation?.status ?? ''}\n`);

for await (const event of events(`/v1/generations/${generation?.id ?? ''}/events`)) {
  process.stdout.write(textIn(event));
  if (event.type !== 'generation.completed') continue;
  const { stopReason, usage, metrics } = event.generation;
  console.log(`\n\nended: ${stopReason ?? ''}, ${usage?.outputTokens ?? 0} tokens`);
  console.log(`first token after ${metrics.firstTokenMs ?? 0} ms, all after ${metrics.durationMs ?? 0} ms`);
}
