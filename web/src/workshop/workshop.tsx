import { useMemo, useState } from 'react';
import type { Message, User } from '../../../src/client/index.js';
import { AnswerLookContext } from '../room/answer-look.js';
import { Announcer } from '../room/announcer.js';
import { ConnectionMark } from '../room/connection-mark.js';
import { ConversationFoot } from '../room/conversation-foot.js';
import { endedFigures, liveFigures } from '../room/figures.js';
import { Gone } from '../room/gone.js';
import { Log } from '../room/log.js';
import { Presence } from '../room/presence.js';
import { RemoveDialog } from '../room/remove-dialog.js';
import { RoomHeader } from '../room/room-header.js';
import { FigureList } from '../room/status-line.js';
import { useConversation, type WatchedConversation } from '../room/use-conversation.js';
import { useGenerationEnd } from '../room/use-generation-end.js';
import { Segmented } from '../ui/segmented.js';
import { CodeEmpty } from './code-empty.js';
import { CodePane } from './code-pane.js';
import { NewWorkshop } from './new-workshop.js';
import { ChoiceContext, talkLook } from './talk-parts.js';
import { mainFile, versionsOf, type Version } from './versions.js';
import './workshop.css';

interface WorkshopProps {
  conversationId: string | null;
  user: User;
}

/** A conversation about code: the code in the middle, what is said about it beside. */
export default function Workshop({ conversationId, user }: WorkshopProps) {
  return conversationId === null ? (
    <NewWorkshop user={user} />
  ) : (
    <OpenWorkshop conversationId={conversationId} user={user} />
  );
}

type Tab = 'talk' | 'code';

const tabs: readonly { value: Tab; label: string }[] = [
  { value: 'talk', label: 'Conversation' },
  { value: 'code', label: 'Code' },
];

function OpenWorkshop({ conversationId, user }: { conversationId: string; user: User }) {
  const watched = useConversation(conversationId, user);
  const { room, connection, conversation, title, timeline, reconnect } = watched;
  const [tab, setTab] = useState<Tab>('talk');
  const versions = useMemo(() => (timeline ? versionsOf(timeline) : []), [timeline]);
  const [picked, setPicked] = useState<string | null>(null);
  const newest = versions.at(-1);
  // What is being written is looked at, unless somebody has picked another since it began.
  const shown = versions.find(({ answerId }) => answerId === picked) ?? newest;
  const choose = (answerId: string) => {
    setPicked(answerId === newest?.answerId ? null : answerId);
    setTab('code');
  };
  if (watched.gone) return <Gone why={watched.gone} />;
  return (
    <div className="workshop" data-tab={tab}>
      <div className="workshop-tabs">
        <Segmented label="Show" name="tab" options={tabs} value={tab} onChange={setTab} />
      </div>
      <section className="talk room" aria-label={title || 'Conversation'}>
        <RoomHeader title={title} conversation={conversation} narrow>
          <ConnectionMark as="pill" connection={connection} onRetry={reconnect} />
          {room && conversation && (
            <Presence conversation={conversation} users={room.users} typing={room.typing} user={user} />
          )}
        </RoomHeader>
        <ConnectionMark as="bar" connection={connection} onRetry={reconnect} />
        <AnswerLookContext value={talkLook}>
          <ChoiceContext value={{ versions, chosenId: shown?.answerId ?? null, choose }}>
            <Log watched={watched} />
          </ChoiceContext>
        </AnswerLookContext>
        <ConversationFoot watched={watched} askFor="Ask for a change" />
      </section>
      {shown ? (
        <VersionPane
          key={shown.answerId}
          watched={watched}
          version={shown}
          versions={versions}
          choose={choose}
        />
      ) : (
        <CodeEmpty />
      )}
      <RemoveDialog work={watched.work} />
      <Announcer room={room} connection={connection} />
    </div>
  );
}

interface VersionPaneProps {
  watched: WatchedConversation;
  version: Version;
  versions: readonly Version[];
  choose: (answerId: string) => void;
}

/** So many versions are in sight; the ones before are behind their answers. */
const shownVersions = 5;

function VersionPane({ watched: { room }, version, versions, choose }: VersionPaneProps) {
  const [picked, setPicked] = useState<number | null>(null);
  const fileIndex = picked ?? mainFile(version);
  const file = version.files[fileIndex];
  const message = room?.messages.find(({ id }) => id === version.answerId);
  if (!file) return null;
  return (
    <CodePane
      key={fileIndex}
      version={version}
      file={file}
      onFile={setPicked}
      figures={
        version.writing ? (
          <FigureList figures={liveFigures(version.writing)} />
        ) : message ? (
          <EndedFigures message={message} watched={room} />
        ) : (
          <span className="figures" />
        )
      }
    >
      {versions.length > 1 && (
        <Segmented
          label="Version"
          name="version"
          options={versions.slice(-shownVersions).map(({ answerId, number }) => ({
            value: answerId,
            label: String(number),
          }))}
          value={version.answerId}
          onChange={choose}
        />
      )}
    </CodePane>
  );
}

function EndedFigures({ message, watched }: { message: Message; watched: WatchedConversation['room'] }) {
  const seen = (message.generationId && watched?.ended.get(message.generationId)) || null;
  const end = useGenerationEnd(message, seen, true);
  return end ? <FigureList figures={endedFigures(end)} /> : <span className="figures" />;
}
