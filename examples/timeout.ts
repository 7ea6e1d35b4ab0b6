/**
 * Bounds an answer in time: `timeoutMs` for all of it, `idleTimeoutMs` for a silence of the model, `firstTokenTimeoutMs`
 * for the silence before its first piece.
 */
import { signIn, textIn } from './support.js';

const { http, events } = await signIn('Ada');
const { id } = await http.createConversation({ title: 'In a hurry' });
const { generation } = await http.sendMessage(id, {
  content: 'Tell me 900 words.',
  generate: { timeoutMs: 2000, idleTimeoutMs: 500, firstTokenTimeoutMs: 1500 },
});

for await (const event of events(`/v1/generations/${generation?.id ?? ''}/events`)) {
  process.stdout.write(textIn(event));
  if (event.type !== 'generation.failed') continue;
  const { error, metrics } = event.generation;
  console.log(`\n\n${error?.code ?? ''} after ${metrics.durationMs ?? 0} ms: ${error?.message ?? ''}`);
  console.log(
    `Its ${event.message?.text.length ?? 0} characters are kept as a ${event.message?.status ?? ''} message.`,
  );
}
