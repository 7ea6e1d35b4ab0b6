import { setTimeout as sleep } from 'node:timers/promises';
import type { Response } from 'express';
import type { User } from '../domain/conversation.js';
import { reasonOf } from '../lib/root-cause.js';
import type { GenerationRow } from '../store/generations.js';
import { isEndUntold } from '../store/outbox.js';
import type { Cursor } from '../wire/cursor.js';
import { isTerminalEventType } from '../wire/room-events.js';
import { generationRoom, type Room } from '../wire/room.js';
import { authorizeRoom } from './authorize.js';
import type { EventStream } from './event-stream.js';
import { Frame } from './frame.js';
import type { Gateway } from './gateway.js';
import { RoomWatcher } from './room-watcher.js';
import type { GenerationView } from './snapshots.js';

/** Whether an event of its room is of this generation. Our events name it before any other id of a generation. */
function isOf({ type, data }: Frame, generationId: string): boolean {
  if (!type.startsWith('generation.')) return false;
  const at = data.indexOf(idKey);
  return at >= 0 && data.startsWith(`${generationId}"`, at + idKey.length);
}

const idKey = '"generationId":"';

/** A relay takes milliseconds, and is seldom met. */
const lookAgainMs = 1000;

/**
 * Streams one generation: its snapshot (or what came after the cursor), its events, and the end after its terminal
 * event. Answers 204, which stops an EventSource from reconnecting, when a known cursor leaves nothing to send.
 */
export async function streamGeneration(
  gateway: Gateway,
  stream: EventStream,
  response: Response,
  user: User,
  generation: Pick<GenerationRow, 'id' | 'conversationId' | 'documentId'>,
  after: Cursor | undefined,
): Promise<void> {
  const { id } = generation;
  const { room, right } = await authorizeRoom(gateway, generationRoom(generation), user, 'generation');
  let view: GenerationView | undefined;
  const endIfEnded = () => {
    if (view?.terminal === undefined) return;
    stream.send(view.terminal);
    stream.end();
  };
  const watcher = new RoomWatcher({
    room,
    hub: gateway.hub,
    reader: gateway.reader,
    sink: stream,
    right,
    metrics: gateway.metrics,
    log: gateway.log,
    snapshot: async () => {
      view = await gateway.snapshots.generation(id, room);
      // Behind the look at the log: who was removed before it finds no event that says so.
      await authorizeRoom(gateway, room, user);
      return view;
    },
    wants: (frame) => frame.type === 'snapshot' || isOf(frame, id),
    onSent: (frame) => {
      if (frame.type === 'snapshot') endIfEnded();
      else if (isTerminalEventType(frame.type)) stream.end();
    },
    onEnd: () => {
      stream.end();
    },
  });
  stream.onClose(() => {
    watcher.close();
  });
  const { resumed, cursor, snapshot } = await watcher.join(after);
  const rest = resumed ? await restOf(gateway, room, id, cursor) : 'some';
  if (rest === 'none') {
    stream.close();
    response.status(204).end();
    return;
  }
  if (generation.conversationId !== null) stream.onClose(gateway.presence.enter(room, user));
  stream.open();
  if (snapshot) {
    const data = { type: 'snapshot', room, at: new Date().toISOString(), snapshot };
    stream.send(new Frame('snapshot', cursor, JSON.stringify(data)));
    endIfEnded();
  }
  watcher.start();
  if (rest === 'unclear') void endWhenOver(gateway, stream, watcher, room, id);
}

/**
 * What the log has, or will have, of a generation behind a cursor. `unclear`: it has ended, and whether the log has been
 * told of it is known in a moment.
 */
async function restOf(
  { snapshots, reader, db }: Gateway,
  room: Room,
  generationId: string,
  after: Cursor,
): Promise<'some' | 'none' | 'unclear'> {
  const { terminal } = await snapshots.generation(generationId, room);
  if (!terminal) return 'some';
  const isUntold = await isEndUntold(db, room, generationId);
  for (let cursor = after; ;) {
    const frames = await reader.read(room, cursor);
    const last = frames?.at(-1)?.cursor;
    if (!frames || frames.some((frame) => isOf(frame, generationId))) return 'some';
    if (last === undefined) return isUntold ? 'unclear' : 'none';
    cursor = last;
  }
}

/** Ends the stream of a generation that has ended, where the client has had its last event before. */
async function endWhenOver(
  gateway: Gateway,
  stream: EventStream,
  watcher: RoomWatcher,
  room: Room,
  generationId: string,
): Promise<void> {
  while (!stream.closed) {
    await sleep(lookAgainMs);
    try {
      const rest = await restOf(gateway, room, generationId, watcher.cursor);
      if (rest === 'none') stream.end();
    } catch (error) {
      gateway.log.debug({ generationId, reason: reasonOf(error) }, 'looking for the end');
    }
  }
}

/**
 * Resolves when the generation has ended, after `timeoutMs`, or when one of the signals fires; never fails. Who waits for
 * it watches it.
 */
export async function waitForEnd(
  { hub, snapshots, presence, log }: Gateway,
  user: User,
  generation: Pick<GenerationRow, 'id' | 'conversationId' | 'documentId'>,
  timeoutMs: number,
  signals: readonly AbortSignal[],
): Promise<void> {
  if (signals.some(({ aborted }) => aborted)) return;
  const { id } = generation;
  const room = generationRoom(generation);
  let finish = () => {};
  const over = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const timer = setTimeout(finish, timeoutMs);
  // Not AbortSignal.any: with a signal that lives as long as the process, Node 20 keeps all that waits for it.
  for (const signal of signals) signal.addEventListener('abort', finish);
  const look = () => {
    snapshots.generation(id, room).then(
      ({ terminal }) => {
        if (terminal) finish();
      },
      (error: unknown) => {
        log.debug({ generationId: id, reason: reasonOf(error) }, 'waiting for the end');
      },
    );
  };
  const leave = presence.enter(room, user);
  try {
    const watch = await hub.watch(room, {
      entry: (entry) => {
        if (isTerminalEventType(entry.type) && isOf(Frame.of(entry), id)) finish();
      },
      unlogged: () => undefined,
      reset: look,
    });
    look();
    await over;
    watch.close();
  } catch {
    await over;
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener('abort', finish);
    leave();
  }
}
