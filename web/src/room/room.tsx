import { lazy, Suspense, useState } from 'react';
import type { User } from '../../../src/client/index.js';
import { CitationsContext, type Citations } from '../markdown/citations.js';
import { Announcer } from './announcer.js';
import { ConnectionMark } from './connection-mark.js';
import { ConversationFoot } from './conversation-foot.js';
import { Gone } from './gone.js';
import { InviteButton } from './invite-button.js';
import { Log } from './log.js';
import { Presence } from './presence.js';
import { RemoveDialog } from './remove-dialog.js';
import { RoomHeader } from './room-header.js';
import { useConversation } from './use-conversation.js';

const AboutDocument = lazy(() => import('../documents/about-document.js'));

/** A conversation as everybody in it sees it. */
export function Room({ conversationId, user }: { conversationId: string; user: User }) {
  const watched = useConversation(conversationId, user);
  const { room, conversation, connection, title, writes, reconnect } = watched;
  const [citations, setCitations] = useState<Citations | null>(null);
  if (watched.gone) return <Gone why={watched.gone} />;
  return (
    <section className="room" aria-label={title || 'Conversation'}>
      <RoomHeader title={title} conversation={conversation}>
        <ConnectionMark as="pill" connection={connection} onRetry={reconnect} />
        {room && conversation && (
          <Presence conversation={conversation} users={room.users} typing={room.typing} user={user} />
        )}
        {writes && <InviteButton conversationId={conversationId} />}
      </RoomHeader>
      <ConnectionMark as="bar" connection={connection} onRetry={reconnect} />
      <Suspense>
        {conversation?.documentId && <AboutDocument conversation={conversation} onCitations={setCitations} />}
      </Suspense>
      <CitationsContext value={citations}>
        <Log watched={watched} />
      </CitationsContext>
      <ConversationFoot watched={watched} />
      <RemoveDialog work={watched.work} />
      <Announcer room={room} connection={connection} />
    </section>
  );
}
