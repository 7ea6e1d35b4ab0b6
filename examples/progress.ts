/** Shows how far an answer is: at most four times a second the worker tells what it has counted so far. */
import { signIn } from './support.js';

const { http, events } = await signIn('Ada');
const { id } = await http.createConversation({ title: 'How far is it?' });
const { generation } = await http.sendMessage(id, {
  content: 'Tell me 400 words.',
  generate: { maxTokens: 600 },
});

for await (const event of events(`/v1/generations/${generation?.id ?? ''}/events`)) {
  if (event.type === 'generation.warning') console.log(`${event.code}: ${event.message}`);
  if (event.type === 'generation.progress') {
    const { metrics, estimatedPercent, estimatedOutputTokens, stage } = event;
    const bar = '█'.repeat(Math.round(estimatedPercent / 5)).padEnd(20, '░');
    console.log(
      `${bar} ${estimatedPercent} % of maxTokens, about ${estimatedOutputTokens} tokens, ${metrics.words} words, ` +
        `${metrics.charactersPerSecond ?? 0} characters/s${stage === null ? '' : ` · ${stage}`}`,
    );
  }
  if (event.type === 'generation.completed') console.log(event.generation.metrics);
}
