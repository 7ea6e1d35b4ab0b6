import { Router, type Request, type RequestHandler, type Response } from 'express';
import { AppError } from '../domain/errors.js';
import type { Session } from '../domain/session.js';
import { findGeneration } from '../store/generations.js';
import { isCursor, noCursor, type Cursor } from '../wire/cursor.js';
import { generationRoom, isUuid } from '../wire/room.js';
import { authorizeRoom } from './authorize.js';
import { EventStream } from './event-stream.js';
import type { Gateway } from './gateway.js';
import { streamGeneration } from './generation-stream.js';
import { streamRooms } from './room-stream.js';

const maxRooms = 50;

/** The event streams of contract §7, for mounting at `/v1` behind the authentication, which leaves the session in `res.locals`. */
export function createEventRoutes(gateway: Gateway): Router {
  const router = Router();
  const streams = openStreams(gateway);

  for (const kind of ['conversation', 'document'] as const)
    router.get(
      `/${kind}s/:id/events`,
      streams(async (request, { user }, stream) => {
        const target = await authorizeRoom(gateway, `${kind}:${pathId(request)}`, user);
        await streamRooms(gateway, stream, user, [{ ...target, after: cursors(request, 1)[0] }]);
      }),
    );

  router.get(
    '/events',
    streams(async (request, { user }, stream) => {
      const names = [request.query.room].flat().filter((name) => name !== undefined);
      if (names.length === 0 || names.length > maxRooms)
        throw new AppError('invalid_request', `Name 1 to ${maxRooms} rooms: ?room=…&room=…`);
      if (new Set(names).size < names.length) throw new AppError('invalid_request', 'Name each room once.');
      const after = cursors(request, names.length);
      const targets = await Promise.all(names.map((name) => authorizeRoom(gateway, name, user)));
      await streamRooms(
        gateway,
        stream,
        user,
        targets.map((target, i) => ({ ...target, after: after[i] })),
      );
    }),
  );

  router.get(
    '/generations/:id/events',
    streams(async (request, { user }, stream, response) => {
      const id = pathId(request);
      const generation = isUuid(id) ? await findGeneration(gateway.db, id) : undefined;
      if (!generation) throw new AppError('not_found', 'There is no such generation.');
      await authorizeRoom(gateway, generationRoom(generation), user, 'generation');
      await streamGeneration(gateway, stream, response, user, generation, cursors(request, 1)[0]);
    }),
  );
  return router;
}

type StreamHandler = (
  request: Request,
  session: Session,
  stream: EventStream,
  response: Response,
) => Promise<void>;

/** Makes request handlers whose stream is let go of, whatever happens. */
function openStreams(gateway: Gateway) {
  return (handler: StreamHandler): RequestHandler =>
    async (request, response) => {
      const session = response.locals.session as Session;
      const stream = new EventStream(request, response, session, gateway);
      try {
        await handler(request, session, stream, response);
      } catch (error) {
        if (stream.closed) return;
        stream.close();
        if (response.headersSent) response.end();
        else throw error;
      }
    };
}

const pathId = (request: Request): string => String(request.params.id);

/** Where the client goes on, for each room: `Last-Event-ID`, else `?after=`; undefined: from a snapshot. */
function cursors(request: Request, rooms: number): (Cursor | undefined)[] {
  // Empty, it says that nothing has been seen: the address may know better.
  const given = request.get('Last-Event-ID') || request.query.after;
  if (given === undefined || given === '') return [];
  const parts = typeof given === 'string' ? given.split(',') : [];
  if (parts.length !== rooms || !parts.every(isCursor))
    throw new AppError('invalid_request', 'Last-Event-ID or ?after= is not a cursor of this stream.');
  return parts.map((part) => (part === noCursor ? undefined : part));
}
