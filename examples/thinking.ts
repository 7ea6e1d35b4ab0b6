/** Asks a model to think first, and shows the thinking apart from the text. */
import { signIn, textIn } from './support.js';

const { http, events } = await signIn('Ada');
const { id } = await http.createConversation({ title: 'Thinking' });

const { generation } = await http.sendMessage(id, {
  content: 'Why is the sky blue?',
  // `{ type: 'adaptive' }` leaves it to the model how much; `display: 'omitted'` keeps the thinking from everybody.
  generate: { maxTokens: 4000, thinking: { type: 'enabled', budgetTokens: 2000 } },
});

for await (const event of events(`/v1/generations/${generation?.id ?? ''}/events`)) {
  if (event.type !== 'generation.chunk') continue;
  const { chunk } = event;
  if (chunk.type === 'content_block_start') {
    const isThinking = chunk.content_block.type === 'thinking';
    console.log(isThinking ? '--- it thinks' : '\n\n--- it answers');
  }
  if (chunk.type === 'content_block_delta' && chunk.delta.type === 'thinking_delta')
    process.stdout.write(chunk.delta.thinking);
  process.stdout.write(textIn(event));
}
console.log();
