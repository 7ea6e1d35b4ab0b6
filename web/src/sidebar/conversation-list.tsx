import { dayLabel } from '../lib/format.js';
import { conversationOf, useRoute } from '../router.js';
import { ConversationItem } from './conversation-item.js';
import { useOwnLists } from './own-lists.js';

/** One's conversations under the days of their last change. */
export function ConversationList() {
  const { conversations } = useOwnLists();
  const route = useRoute();
  if (!conversations) return null;
  if (conversations.length === 0) return <p className="sidebar-words">No conversations yet.</p>;
  return Array.from(
    Map.groupBy(conversations, ({ updatedAt }) => dayLabel(updatedAt)),
    ([label, ofDay]) => (
      <section key={label}>
        <h2>{label}</h2>
        <ul>
          {ofDay.map((conversation) => (
            <ConversationItem
              key={conversation.id}
              conversation={conversation}
              current={conversation.id === conversationOf(route)}
            />
          ))}
        </ul>
      </section>
    ),
  );
}
