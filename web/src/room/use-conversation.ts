import { useEffect, useMemo, useRef, type RefObject } from 'react';
import {
  mayWrite,
  RoomHistory,
  type ConnectionState,
  type ConversationView,
  type RoomState,
  type TokencastError,
  type User,
} from '../../../src/client/index.js';
import { titleFrom } from '../lib/format.js';
import { http, noticeRefusal } from '../services.js';
import { useOwnLists } from '../sidebar/own-lists.js';
import type { ComposerHandle } from './composer.js';
import type { Outbox } from './outbox.js';
import { outboxOf } from './outboxes.js';
import { timelineOf, type Timeline } from './timeline.js';
import { useLogActions, type LogWork } from './use-log-actions.js';
import { useMarkRead } from './use-mark-read.js';
import { useRoom } from './use-room.js';
import { useStopOnEscape } from './use-stop-on-escape.js';

/** Why a conversation can no longer be shown. */
export type Goneness = 'deleted' | 'left' | TokencastError;

/** A conversation that is watched, and what its reader does with it; the same for every way of showing it. */
export interface WatchedConversation {
  conversationId: string;
  user: User;
  room: RoomState | null;
  connection: ConnectionState;
  conversation: ConversationView | null;
  title: string;
  timeline: Timeline | null;
  history: RoomHistory | null;
  outbox: Outbox;
  work: LogWork;
  /** Whether the reader may write; false until that is known. */
  writes: boolean;
  /** The generation that Esc stops. */
  runningId: string | undefined;
  /** The model that answers, as far as it is known. */
  model: string | null;
  gone: Goneness | null;
  composer: RefObject<ComposerHandle | null>;
  focus: () => void;
  reconnect: () => void;
  setTyping: (typing: boolean) => void;
}

export function useConversation(conversationId: string, user: User): WatchedConversation {
  const { room, connection, watched } = useRoom(conversationId);
  const composer = useRef<ComposerHandle>(null);
  const focus = () => composer.current?.focus();
  const outbox = outboxOf(conversationId);
  const work = useLogActions(focus);
  const timeline = useMemo(() => (room ? timelineOf(room) : null), [room]);
  const history = useMemo(
    () => watched && new RoomHistory(http, watched, conversationId),
    [watched, conversationId],
  );
  useMarkRead(conversationId, room, user);
  useEffect(() => {
    if (room) outbox.settle(room.messages);
  }, [outbox, room]);

  const conversation = room?.conversation ?? null;
  const writes = conversation !== null && mayWrite(conversation.role);
  const runningId = room?.generations.find(({ status }) => status !== 'waiting')?.id;
  useStopOnEscape(writes ? runningId : undefined, work.actions.stop);

  const refusal = connection.state === 'closed' ? connection.error : null;
  const gone = room?.deleted ? 'deleted' : room?.left.includes(user.id) ? 'left' : refusal;
  const { refresh } = useOwnLists();
  useEffect(() => {
    if (refusal) noticeRefusal(refusal);
    if (gone) refresh();
  }, [refusal, gone, refresh]);

  const firstWords = room?.messages.find(({ role }) => role === 'user')?.text;
  const title = conversation?.title ?? (firstWords ? titleFrom(firstWords) : room ? 'New conversation' : '');
  useEffect(() => {
    document.title = title ? `${title} · tokencast` : 'tokencast';
  }, [title]);

  return {
    conversationId,
    user,
    room,
    connection,
    conversation,
    title,
    timeline,
    history,
    outbox,
    work,
    writes,
    runningId,
    model: conversation?.model ?? (room && lastModel(room)),
    gone,
    composer,
    focus,
    reconnect: () => watched?.reconnect(),
    setTyping: (typing) => watched?.setTyping(typing),
  };
}

/** The model of the newest answer that this window saw. */
const lastModel = ({ generations, ended }: RoomState): string | null =>
  generations.at(-1)?.model ?? [...ended.values()].at(-1)?.model ?? null;
