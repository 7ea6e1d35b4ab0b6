/**
 * Limits what a conversation may cost, asks, and shows what is reserved, spent and refused. With the demo model, which has
 * no price, nothing is: give the server a key, or name a model (`MODEL=claude-haiku-4-5`).
 */
import { TokencastError } from '../src/client/index.js';
import { signIn, textIn, url } from './support.js';

const { http, events } = await signIn('Ada');
const { id } = await http.createConversation({ title: 'Saving', model: process.env.MODEL ?? null });

// Operators set limits; without an ADMIN_TOKEN the route is open, outside production.
await fetch(`${url}/admin/budgets/conversations/${id}`, {
  method: 'PUT',
  headers: {
    'content-type': 'application/json',
    authorization: `Bearer ${process.env.ADMIN_TOKEN ?? ''}`,
  },
  body: JSON.stringify({ limitUsd: 0.004 }),
});

for (let i = 0; i < 4; i += 1) {
  try {
    const { generation } = await http.sendMessage(id, { content: 'Tell me 900 words.' });
    const { reservedUsd } = await http.getConversationBudget(id);
    console.log(`accepted by ${generation?.model ?? ''}: $${reservedUsd.toFixed(6)} are reserved`);
    let characters = 0;
    for await (const event of events(`/v1/generations/${generation?.id ?? ''}/events`)) {
      characters += textIn(event).length;
      if (event.type === 'generation.warning') console.log(`  ${event.code}: ${event.message}`);
    }
    const ended = await http.getGeneration(generation?.id ?? '');
    const reason = ended.error?.code ?? ended.stopReason ?? '';
    console.log(`  ${ended.status} (${reason}), ${characters} characters, $${ended.costUsd}`, ended.budget);
  } catch (error) {
    if (!(error instanceof TokencastError) || error.code !== 'budget_exceeded') throw error;
    console.log(`refused with ${String(error.status)}: ${error.message}`);
    break;
  }
}

const { totals } = await http.getUsage();
console.log(
  `today: ${totals.generations} generations, ${totals.outputTokens} tokens written, $${totals.costUsd}`,
);
