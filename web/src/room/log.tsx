import { ArrowDown } from 'lucide-react';
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import type { ConnectionState, Message, User } from '../../../src/client/index.js';
import { counted } from '../lib/format.js';
import { Icon } from '../ui/icon.js';
import { Skeleton } from '../ui/skeleton.js';
import { Answer } from './answer.js';
import { Greeting } from './greeting.js';
import { MessageRow, PendingRow } from './message-row.js';
import { Queue } from './queue.js';
import type { TimelineItem } from './timeline.js';
import { TypingLine } from './typing-line.js';
import { UnansweredRow } from './unanswered-row.js';
import type { WatchedConversation } from './use-conversation.js';
import { useHistory } from './use-history.js';
import { useNewestKeys } from './use-newest-keys.js';
import { useNewWords } from './use-new-words.js';
import { useStickToEnd } from './use-stick-to-end.js';

/** Everything said in the room, with the line along it. */
export function Log({ watched }: { watched: WatchedConversation }) {
  const { room, timeline, connection, history, outbox, user, writes } = watched;
  const { actions, stopping, editing } = watched.work;
  const scroller = useRef<HTMLDivElement>(null);
  const pending = useSyncExternalStore(outbox.subscribe, outbox.get);
  const unshown = pending.filter(({ clientId }) => !room?.messages.some((one) => one.clientId === clientId));
  const oldest = timeline?.items[0]?.id;
  const olderWords = useHistory(scroller, history, oldest, room?.messages[0]?.position);
  const { atEnd, toEnd } = useStickToEnd(
    scroller,
    useMemo(() => ({ room, pending }), [room, pending]),
  );
  const newWords = useNewWords(timeline, atEnd);
  useNewestKeys(toEnd);
  const sent = useRef(pending.length);
  useEffect(() => {
    if (pending.length > sent.current) toEnd();
    sent.current = pending.length;
  }, [toEnd, pending.length]);

  const here = useMemo(() => new Set(room?.users.map(({ id }) => id)), [room?.users]);
  const isHere = (author: User | null) => (here.size > 0 && author ? here.has(author.id) : null);
  const role = room?.conversation?.role;
  const rightsTo = ({ author }: Pick<Message, 'author'>) => {
    if (!writes) return 'none';
    if (author?.id === user.id) return 'edit';
    return role === 'owner' ? 'delete' : 'answer';
  };
  const lastAnswer = timeline?.items.findLast(
    (item) => item.kind === 'message' && item.message.role === 'assistant',
  );
  const lastMessage = room?.messages.at(-1);

  const rowOf = (item: TimelineItem) => {
    switch (item.kind) {
      case 'message': {
        const { id, message } = item;
        if (message.role === 'user') {
          return (
            <MessageRow
              key={id}
              message={message}
              here={isHere(message.author)}
              rights={rightsTo(message)}
              editing={editing === id}
              followed={message !== lastMessage}
              actions={actions}
            />
          );
        }
        const rights = rightsTo({ author: item.to });
        return (
          <Answer
            key={id}
            kind="settled"
            message={message}
            ended={item.ended}
            to={item.to}
            fetchEnd={item === lastAnswer}
            rights={rights === 'edit' ? 'delete' : rights}
            busy={item.busy}
            actions={actions}
          />
        );
      }
      case 'writing':
        return (
          <Answer
            key={item.id}
            kind="writing"
            generation={item.generation}
            to={item.to}
            connection={connection}
            stopping={stopping.has(item.generation.id)}
            mayStop={writes}
            followed={(timeline?.waiting.length ?? 0) > 0}
            onStop={actions.stop}
          />
        );
      case 'unanswered':
        return (
          <UnansweredRow
            key={item.id}
            generation={item.generation}
            to={item.to}
            mayAsk={writes}
            actions={actions}
          />
        );
    }
  };

  const isEmpty = timeline?.items.length === 0 && timeline.waiting.length === 0 && unshown.length === 0;
  return (
    <div className="log-frame">
      <div
        className="log-scroll"
        ref={scroller}
        role="log"
        aria-live="off"
        aria-label="Messages"
        tabIndex={0}
      >
        <div className="log-column">
          {isEmpty && <Greeting user={user} conversation={room?.conversation ?? null} />}
          {!timeline && unshown.length === 0 && <Skeleton of="log" rows={awaited} />}
          {olderWords && <p className="older-words">{olderWords}</p>}
          <ol className="log">
            {timeline?.items.map(rowOf)}
            {timeline && <Queue waiting={timeline.waiting} user={user} onRemove={actions.stop} />}
            {unshown.map((one) => (
              <PendingRow
                key={one.clientId}
                pending={one}
                user={user}
                onRetry={() => {
                  void outbox.retry(one.clientId);
                  watched.focus();
                }}
                onEdit={() => {
                  outbox.discard(one.clientId);
                  watched.composer.current?.fill(one.content);
                }}
                onDiscard={() => {
                  outbox.discard(one.clientId);
                  watched.focus();
                }}
              />
            ))}
          </ol>
          <TypingLine typing={room?.typing ?? []} user={user} />
        </div>
      </div>
      {atEnd && <CaughtUpNotice connection={connection} />}
      {!atEnd && (
        <button type="button" className="new-words" onClick={toEnd}>
          <Icon of={ArrowDown} />
          {newWords > 0 ? counted(newWords, 'new word') : 'Newest'}
        </button>
      )}
    </div>
  );
}

/** Says for a moment that nothing was missed. The header says so, too: here it is where one reads. */
function CaughtUpNotice({ connection }: { connection: ConnectionState }) {
  if (connection.state !== 'live' || !connection.caughtUp) return null;
  const { events } = connection.caughtUp;
  return (
    <div className="caught-up" data-look="caught-up" aria-hidden>
      <span className="connection-glyph" />
      {events === null ? 'Back, caught up' : `Back, caught up: ${counted(events, 'event')}`}
    </div>
  );
}

const awaited = [
  ['75px', '91%', '63%'],
  ['60px', '80%'],
  ['87px', '96%', '88%'],
];
