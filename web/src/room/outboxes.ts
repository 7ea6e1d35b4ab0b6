import { TokencastError } from '../../../src/client/index.js';
import { budgetKey } from '../budget/use-budget.js';
import { http, noticeRefusal, queryClient } from '../services.js';
import { Outbox } from './outbox.js';
import { remarkMetadata } from './remark.js';

const outboxes = new Map<string, Outbox>();

/** The outbox of a conversation, the same for as long as the page is open: what failed is there when one comes back. */
export function outboxOf(conversationId: string): Outbox {
  const known = outboxes.get(conversationId);
  if (known) return known;
  const made = new Outbox(async ({ content, clientId, remark }) => {
    const body = { content, clientId, ...(remark && { generate: false, metadata: remarkMetadata }) };
    try {
      await http.sendMessage(conversationId, body, { idempotencyKey: clientId });
    } catch (error) {
      noticeRefusal(error);
      if (error instanceof TokencastError && error.code === 'budget_exceeded')
        void queryClient.invalidateQueries({ queryKey: [budgetKey] });
      throw error;
    }
  });
  outboxes.set(conversationId, made);
  return made;
}
