/** A conversation that begins with a history: the model sees it, and every later question with its answer. */
import { signIn, textIn } from './support.js';

const { http, events } = await signIn('Ada');

const { id } = await http.createConversation({
  title: 'The harbour',
  system: 'You are brief.',
  messages: [
    { role: 'user', content: 'My boat is called Halcyon.' },
    { role: 'assistant', content: 'A fine name for a boat.' },
  ],
});

for (const content of ['What is my boat called?', 'And what did I ask before?']) {
  const { generation } = await http.sendMessage(id, { content });
  console.log(`\nAda: ${content}`);
  for await (const event of events(`/v1/generations/${generation?.id ?? ''}/events`))
    process.stdout.write(textIn(event));
}

const { items } = await http.listMessages(id);
console.log('\n\nWhat is stored:');
for (const { role, text } of items)
  console.log(`${role.padEnd(9)} ${text.slice(0, 70).replaceAll('\n', ' ')}`);
