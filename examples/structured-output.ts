/** Asks for an answer that matches a JSON Schema, and shows the object as it grows. */
import { signIn } from './support.js';

const { http, events } = await signIn('Ada');
const { id } = await http.createConversation({ title: 'Structured output' });

const outputSchema = {
  type: 'object',
  properties: {
    title: { type: 'string' },
    minutes: { type: 'integer', minimum: 1 },
    steps: { type: 'array', items: { type: 'string' }, minItems: 1 },
  },
  required: ['title', 'minutes', 'steps'],
  additionalProperties: false,
};

const { generation } = await http.sendMessage(id, {
  content: 'How do I make pancakes?',
  generate: { outputSchema },
});

for await (const event of events(`/v1/generations/${generation?.id ?? ''}/events`)) {
  if (event.type === 'generation.object')
    console.log(event.complete ? 'whole and valid:' : 'so far:', JSON.stringify(event.value));
  if (event.type === 'generation.warning') console.log(`${event.code}: ${event.message}`);
  if (event.type === 'generation.failed') console.log(event.generation.error);
}
