import { useEffect, useRef, useState } from 'react';
import {
  hasEnded,
  type ConnectionState,
  type LiveGeneration,
  type RoomState,
} from '../../../src/client/index.js';

/** What screen readers are told of a room: who is being answered, the finished text once, the connection; never tokens. */
export function Announcer({ room, connection }: { room: RoomState | null; connection: ConnectionState }) {
  const [words, setWords] = useState('');
  const answering = useRef<readonly LiveGeneration[]>([]);
  const wasAway = useRef(false);

  useEffect(() => {
    if (!room) return;
    const before = answering.current;
    const now = room.generations.filter(({ status }) => status === 'running');
    answering.current = now;
    const begun = now.find(({ id }) => !before.some((one) => one.id === id));
    const gone = before.find(({ id }) => !now.some((one) => one.id === id));
    const end = gone && room.ended.get(gone.id);
    if (end && hasEnded(end.status)) {
      const text = room.messages.find(({ id }) => id === end.messageId)?.text ?? '';
      setWords(end.status === 'completed' ? text : `The answer was ${endWords[end.status]}. ${text}`);
    } else if (begun) {
      const author = room.messages.find(({ id }) => id === begun.promptId)?.author;
      setWords(`Assistant is answering ${author?.name ?? 'someone'}`);
    }
  }, [room]);

  const { state } = connection;
  useEffect(() => {
    if (state === 'live') {
      if (wasAway.current) setWords('Connected again');
      wasAway.current = false;
    } else if (state === 'reconnecting' || state === 'offline') {
      if (!wasAway.current) setWords('Connection lost, trying again');
      wasAway.current = true;
    }
  }, [state]);

  return (
    <div className="visually-hidden" role="status" aria-live="polite" data-testid="announcer">
      {words}
    </div>
  );
}

const endWords = { completed: 'completed', cancelled: 'stopped', failed: 'broken off' } as const;
