import { useQuery } from '@tanstack/react-query';
import type { Budget } from '../../../src/client/index.js';
import { http } from '../services.js';
import { useOwnLists } from '../sidebar/own-lists.js';

export const budgetKey = 'me';

/** What one has spent today; null: not known. */
export function useBudget(): Budget | null {
  const { conversations, documents } = useOwnLists();
  // What is spent changes when an answer begins or ends, and then so does the list.
  const running = conversations?.reduce((sum, conversation) => sum + conversation.running, 0) ?? 0;
  const ofDocuments = documents?.reduce((sum, { costUsd }) => sum + costUsd, 0) ?? 0;
  const { data } = useQuery({
    queryKey: [budgetKey, running, ofDocuments],
    queryFn: ({ signal }) => http.getMe({ signal }),
    placeholderData: (before) => before,
  });
  return data?.budget ?? null;
}
