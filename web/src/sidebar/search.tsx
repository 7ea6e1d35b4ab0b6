import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Search } from 'lucide-react';
import { useDeferredValue } from 'react';
import { commandKey } from '../lib/keys.js';
import { conversationOf, useRoute } from '../router.js';
import { http } from '../services.js';
import { Icon } from '../ui/icon.js';
import { ConversationItem } from './conversation-item.js';

export const searchFieldClass = 'search-field';

/** Finds conversations by their title or text. Esc empties it; Enter and ArrowDown go to the results. */
export function SearchField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <label className={searchFieldClass}>
      <Icon of={Search} size={14} />
      <input
        type="search"
        value={value}
        maxLength={200}
        placeholder="Search"
        aria-label="Search conversations"
        onChange={(event) => {
          onChange(event.target.value);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && value) {
            event.preventDefault();
            event.stopPropagation();
            onChange('');
          } else if (event.key === 'Enter' || event.key === 'ArrowDown') {
            event.preventDefault();
            const sidebar = event.currentTarget.closest('.sidebar');
            const first = sidebar?.querySelector<HTMLAnchorElement>('.conversation-link');
            if (event.key === 'ArrowDown') first?.focus();
            else first?.click();
          }
        }}
      />
      {!value && <kbd aria-hidden>{commandKey}K</kbd>}
    </label>
  );
}

export function SearchResults({ query, onOpen }: { query: string; onOpen: () => void }) {
  const q = useDeferredValue(query);
  const route = useRoute();
  const { data, isError } = useQuery({
    queryKey: ['search', q],
    queryFn: ({ signal }) => http.listConversations({ q, limit: 50 }, { signal }),
    placeholderData: keepPreviousData,
  });
  const found = data?.items ?? [];
  return (
    <section>
      <h2 role="status">
        {isError ? 'Search does not answer' : data ? `${found.length} found` : 'Searching'}
      </h2>
      <ul>
        {found.map((conversation) => (
          <ConversationItem
            key={conversation.id}
            conversation={conversation}
            current={conversation.id === conversationOf(route)}
            onOpen={onOpen}
          />
        ))}
      </ul>
    </section>
  );
}
