/** Asks the same twice: the second answer is the first one, replayed without the model, sentence by sentence. */
import { signIn, textIn } from './support.js';

const { http, events } = await signIn('Ada');
const content = 'What is a queue?';

/** Asks in a conversation of its own, where nothing that was said before makes the question another one. */
async function ask(label: string) {
  const { id } = await http.createConversation({ title: label });
  const { generation } = await http.sendMessage(id, {
    content,
    generate: { cache: true, flush: { by: 'sentence' } },
  });
  let pieces = 0;
  for await (const event of events(`/v1/generations/${generation?.id ?? ''}/events`))
    if (textIn(event)) pieces += 1;
  const ended = await http.getGeneration(generation?.id ?? '');
  const { cached, costUsd, metrics, text } = ended;
  console.log(
    `${label}: ${text.length} characters in ${pieces} sentences after ${metrics.durationMs ?? 0} ms,`,
    cached ? 'from the cache,' : 'from the model,',
    `$${costUsd ?? 0}`,
  );
  return ended;
}

const [first, twin] = await Promise.all([ask('one of two at once'), ask('the other one')]);
const again = await ask('the same again');
console.log(`all three are the same: ${first.text === twin.text && twin.text === again.text}`);

await http.forgetCachedAnswer(again.id);
await ask('after it was deleted');
