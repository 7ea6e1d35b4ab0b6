import { useMemo, useRef, useEffect, useState } from 'react';
import { TokencastError, type Message } from '../../../src/client/index.js';
import { http, noticeRefusal } from '../services.js';
import { toastError } from '../ui/toasts.js';
import { isRemark } from './remark.js';
import type { LogActions } from './row-actions.js';

export interface LogWork {
  actions: LogActions;
  /** Cancels that were asked for and whose end is still to be seen. */
  stopping: ReadonlySet<string>;
  editing: string | null;
  /** To be deleted once that is confirmed. */
  removing: Message | null;
  keep: () => void;
}

/** What is under way with the messages of a room. `onSettled`: a button has done its work, the focus can go back. */
export function useLogActions(onSettled: () => void): LogWork {
  const [stopping, setStopping] = useState<ReadonlySet<string>>(new Set());
  const [editing, setEditing] = useState<string | null>(null);
  const [removing, setRemoving] = useState<Message | null>(null);
  const settled = useRef(onSettled);
  useEffect(() => {
    settled.current = onSettled;
  });

  const actions = useMemo<LogActions>(() => {
    const attempt = async (what: string, act: () => Promise<unknown>): Promise<boolean> => {
      try {
        await act();
        return true;
      } catch (error) {
        noticeRefusal(error);
        toastError(what, error);
        return false;
      }
    };
    const stop = async (generationId: string) => {
      setStopping((ids) => new Set(ids).add(generationId));
      settled.current();
      const stopped = await attempt('Stopping', () => http.cancelGeneration(generationId).catch(unlessEnded));
      if (!stopped) setStopping((ids) => new Set([...ids].filter((id) => id !== generationId)));
    };
    return {
      stop: (generationId) => void stop(generationId),
      edit: (messageId) => {
        setEditing(messageId);
        if (messageId === null) settled.current();
      },
      save: (message, content) =>
        attempt('Saving', () => http.editMessage(message.id, { content, regenerate: !isRemark(message) })),
      remove: setRemoving,
      regenerate: (messageId) => {
        settled.current();
        void attempt('Asking again', () => http.regenerate(messageId));
      },
      continue: (generationId) => {
        settled.current();
        void attempt('Continuing', () => http.continueGeneration(generationId));
      },
    };
  }, []);
  const keep = () => {
    setRemoving(null);
    settled.current();
  };
  return { actions, stopping, editing, removing, keep };
}

/** To stop what has ended by itself is no failure. */
function unlessEnded(error: unknown): void {
  if (!(error instanceof TokencastError && error.code === 'generation_ended')) throw error;
}
