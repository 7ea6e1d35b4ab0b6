/** Anthropic's own SDK, with another base URL and key: a stream, a blocking answer, a tool of this program, coming back. */
import Anthropic from '@anthropic-ai/sdk';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { signIn, url } from './support.js';

const { token } = await signIn('Ada');
const client = new Anthropic({ baseURL: `${url}/anthropic`, apiKey: token, authToken: null });
const model = process.env.MODEL ?? 'demo';

console.log('--- streamed');
const question = { role: 'user' as const, content: 'What is a queue good for?' };
const stream = client.messages.stream({ model, max_tokens: 300, messages: [question] });
const { response } = await stream.withResponse();
stream.on('text', (delta) => process.stdout.write(delta));
const { usage } = await stream.finalMessage();
const generationId = response.headers.get('x-generation-id') ?? '';
console.log(
  `\n  [${usage.input_tokens} tokens read, ${usage.output_tokens} written, generation ${generationId}]`,
);

console.log('\n--- read again, from its first event: with Last-Event-ID it would go on behind that');
const again = await fetch(`${url}/anthropic/v1/messages/${generationId}/events`, {
  headers: { 'x-api-key': token },
});
const events = again.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
const counts = new Map<string, number>();
for await (const { event = '' } of events ?? []) counts.set(event, (counts.get(event) ?? 0) + 1);
console.log([...counts].map(([event, count]) => `  ${event} ${count}`).join('\n'));

console.log('\n--- a tool that this program runs');
const messages: Anthropic.MessageParam[] = [
  { role: 'user', content: 'Please use open_door for the left door.' },
];
const tools: Anthropic.Tool[] = [
  {
    name: 'open_door',
    description: 'Opens a door of the house.',
    input_schema: { type: 'object', properties: { door: { type: 'string' } }, required: ['door'] },
  },
];
const called = await client.messages.create({ model, max_tokens: 300, messages, tools });
const results = called.content
  .filter((block) => block.type === 'tool_use')
  .map((call) => {
    console.log(`  [${call.name} was called with ${JSON.stringify(call.input)}]`);
    return { type: 'tool_result' as const, tool_use_id: call.id, content: 'The door is open.' };
  });
messages.push({ role: 'assistant', content: called.content }, { role: 'user', content: results });
const { content } = await client.messages.create({ model, max_tokens: 300, messages, tools });
console.log(content.map((block) => (block.type === 'text' ? block.text : '')).join(''));
