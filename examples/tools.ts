/** Lets the model call a tool of the worker, then one that this program runs itself, and shows calls and results. */
import type { Generation } from '../src/client/index.js';
import { signIn, textIn } from './support.js';

const { http, events } = await signIn('Ada');
const { id } = await http.createConversation({ title: 'Tools' });

/** Shows a generation to its end, and answers it. */
async function show(generation: Generation | undefined): Promise<Generation> {
  const generationId = generation?.id ?? '';
  for await (const event of events(`/v1/generations/${generationId}/events`)) {
    process.stdout.write(textIn(event));
    if (event.type === 'generation.tool_result')
      console.log(`\n  [${event.name} ${event.isError ? 'failed' : 'answered'}: ${event.output}]`);
  }
  console.log();
  return http.getGeneration(generationId);
}

console.log('--- a tool that the worker runs');
const weather = await http.sendMessage(id, {
  content: 'What is the weather in Paris?',
  generate: { tools: ['get_weather', 'calculator'] },
});
await show(weather.generation);

console.log('\n--- a tool that this program runs');
const door = await http.sendMessage(id, {
  content: 'Please use open_door for the left door.',
  generate: {
    tools: [
      {
        name: 'open_door',
        description: 'Opens a door of the house.',
        inputSchema: { type: 'object', properties: { door: { type: 'string' } }, required: ['door'] },
      },
    ],
  },
});
const { stopReason, content } = await show(door.generation);
console.log(`  it ended with "${stopReason ?? ''}": the calls are ours to answer`);

// Every call gets its result; the model then goes on, with the same options.
const results = content
  .filter((block) => block.type === 'tool_use')
  .map((call) => {
    console.log(`  [${call.name} was called with ${JSON.stringify(call.input)}]`);
    return { type: 'tool_result' as const, tool_use_id: call.id, content: 'The door is open.' };
  });
const answered = await http.sendMessage(id, { content: results });
await show(answered.generation);
