import { Eye } from 'lucide-react';
import type { ConversationView, Message, RoomState, User } from '../../../src/client/index.js';
import { SpentNote } from '../budget/spent-note.js';
import { useSpentWords } from '../budget/use-spent-words.js';
import { ordinal } from '../lib/format.js';
import { Icon } from '../ui/icon.js';
import { Composer } from './composer.js';
import { ModelMenu } from './model-menu.js';
import type { WatchedConversation } from './use-conversation.js';

interface ConversationFootProps {
  watched: WatchedConversation;
  /** Where one asks alone: what the empty field says. Default: one may ask or remark. */
  askFor?: string;
}

/** Where one writes to a conversation, or why one cannot. */
export function ConversationFoot({ watched, askFor }: ConversationFootProps) {
  const { conversation, room, user, outbox, writes, runningId, timeline, model, work } = watched;
  const spent = useSpentWords(outbox, model);
  if (conversation && !writes) {
    return (
      <div className="room-foot">
        <p className="viewer-note">
          <Icon of={Eye} />
          You are reading along as a viewer.
        </p>
      </div>
    );
  }
  const waiting = timeline?.waiting.length ?? 0;
  const only = spent === null ? askFor && 'ask' : 'remark';
  return (
    <div className="room-foot">
      {spent !== null && <SpentNote words={spent} />}
      <Composer
        ref={watched.composer}
        draftKey={watched.conversationId}
        {...(only && { only })}
        {...(askFor && { placeholder: askFor })}
        hint={conversation && runningId !== undefined ? whileAnswered(conversation, waiting) : null}
        onTyping={watched.setTyping}
        onEditLast={() => {
          const last = room && lastOwn(room, user);
          if (last) work.actions.edit(last.id);
        }}
        onSend={(content, remark) => {
          void outbox.add(content, { remark });
        }}
      >
        {conversation && spent === null && <ModelMenu conversation={conversation} used={model} />}
      </Composer>
    </div>
  );
}

/** What becomes of a question while another is answered, `waiting` of them before it. */
function whileAnswered({ concurrency }: ConversationView, waiting: number): string | null {
  switch (concurrency) {
    case 'queue':
      return `${ordinal(waiting + 1)} in line`;
    case 'interrupt':
      return 'stops this answer';
    case 'reject':
      return 'after this answer';
    case 'parallel':
      return null;
  }
}

const lastOwn = ({ messages }: RoomState, user: User): Message | undefined =>
  messages.findLast(({ author }) => author?.id === user.id);
