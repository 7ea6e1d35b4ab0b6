import { useQuery } from '@tanstack/react-query';
import type { ConversationView, PageQuery } from '../../../src/client/index.js';
import { counted, inWords } from '../lib/format.js';
import { http } from '../services.js';
import ConfirmDialog from './confirm-dialog.js';
import { runningWords } from './running-words.js';

const pageSize = 200;
/** Nobody needs to know it more exactly than that there are more than these. */
const mostPages = 5;

/** Asks before all messages of a conversation go, and says how many they are, as soon as that is known. */
export function ClearDialog({
  conversation,
  onClose,
}: {
  conversation: ConversationView;
  onClose: () => void;
}) {
  const { id } = conversation;
  const { data } = useQuery({
    queryKey: ['extent', id],
    queryFn: ({ signal }) => extentOf(id, signal),
    gcTime: 0,
  });
  const messages = data ? messageWords(data) : 'All messages';
  const isAlone = data?.members === 1;
  const forWhom = isAlone ? '' : ` for ${data ? `all ${inWords(data.members)} members` : 'members'}`;
  const isOne = data?.messages === 1;
  return (
    <ConfirmDialog
      title={isAlone ? 'Clear this conversation?' : 'Clear this conversation for everyone?'}
      words={`${messages} ${isOne ? 'goes' : 'go'}${forWhom}.${runningWords(conversation)} This cannot be undone.`}
      confirm={data ? `Clear ${messages.replace(/^More/, 'more')}` : 'Clear all messages'}
      keep="Keep"
      doing="Clearing"
      act={() => http.clearMessages(id)}
      onClose={onClose}
    />
  );
}

interface Extent {
  messages: number;
  /** Whether there are more messages than were counted. */
  more: boolean;
  members: number;
}

async function extentOf(conversationId: string, signal: AbortSignal): Promise<Extent> {
  const members = http.listMembers(conversationId, { signal });
  let messages = 0;
  let before: string | null = null;
  for (let page = 0; page < mostPages; page += 1) {
    const query: PageQuery = { limit: pageSize, ...(before !== null && { before }) };
    const { items, nextBefore } = await http.listMessages(conversationId, query, { signal });
    messages += items.length;
    before = nextBefore;
    if (before === null) break;
  }
  return { messages, more: before !== null, members: (await members).items.length };
}

const messageWords = ({ messages, more }: Extent): string =>
  `${more ? 'More than ' : ''}${counted(messages, 'message')}`;
