import { useCallback } from 'react';
import { watchConversation, type RoomConnection, type RoomView } from '../../../src/client/index.js';
import { useWatched } from '../lib/use-watched.js';
import { getToken, renewSession } from '../services.js';

/** The conversation's room, watched for as long as the component stands. */
export function useRoom(conversationId: string): RoomView & { watched: RoomConnection | null } {
  const { view, watched } = useWatched(
    useCallback(
      () => watchConversation(conversationId, { getToken, renewToken: renewSession }),
      [conversationId],
    ),
  );
  return { ...view, watched };
}
