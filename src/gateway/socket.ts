import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import { hostname } from 'node:os';
import type { Duplex } from 'node:stream';
import { Server, type DefaultEventsMap, type Socket } from 'socket.io';
import { z } from 'zod';
import { mayWrite, type User } from '../domain/conversation.js';
import { AppError } from '../domain/errors.js';
import type { Session } from '../domain/session.js';
import { setLongTimeout } from '../lib/long-timeout.js';
import { reasonOf } from '../lib/root-cause.js';
import type { Turns } from '../lib/turns.js';
import {
  authenticateSchema,
  joinSchema,
  leaveSchema,
  typingSchema,
  type Ack,
  type JoinAck,
} from '../wire/socket-events.js';
import type { AnySnapshot } from '../wire/room-events.js';
import { authorizeRoom, type RoomTarget } from './authorize.js';
import { EventLimits, type LimitedEvent } from './event-limits.js';
import type { Gateway } from './gateway.js';
import type { RoomWatcher } from './room-watcher.js';
import { SocketSink } from './socket-sink.js';
import { StraightPaths } from './straight-path.js';
import { Typing } from './typing.js';
import { watchRoom } from './watch-room.js';

/** A client's socket may watch so many rooms. */
const maxRooms = 200;
const expiryNoticeMs = 60_000;

interface SocketData {
  session: Session;
}

type ClientSocket = Socket<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, SocketData>;

export interface SocketServer {
  /** Whether a request that wishes for another protocol is answered here. */
  takesUpgrade(request: IncomingMessage): boolean;
  /** Closes the transports, so that clients reconnect elsewhere (a `disconnect()` would stop them from it). */
  drain(): Promise<void>;
}

interface SocketServerOptions {
  /** Browsers of other origins; none by default. */
  corsOrigins: '*' | readonly string[];
  /** Whether room events go past the engine where they can. */
  straight: boolean;
}

/** Serves Socket.IO (contract §6) on an HTTP server. */
export function createSocketServer(
  server: HttpServer,
  gateway: Gateway,
  { corsOrigins, straight }: SocketServerOptions,
): SocketServer {
  const paths = straight ? new StraightPaths(gateway.metrics) : undefined;
  const io = new Server<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, SocketData>(server, {
    maxHttpBufferSize: 65_536,
    // What is not for it is answered elsewhere, instead of being cut off after a second without a word.
    destroyUpgrade: false,
    ...(paths && { wsEngine: paths.wsEngine }),
    ...(corsOrigins.length > 0 && { cors: { origin: corsOrigins === '*' ? '*' : [...corsOrigins] } }),
  });
  // As the engine decides it.
  const takesUpgrade = ({ url }: IncomingMessage) => url?.startsWith(`${io.path()}/`) ?? false;
  takeTurns(server, gateway.turns, takesUpgrade);
  // A proxy finds the api of a polling client by it (docker/nginx.conf): in Docker the host name is the container's id.
  io.engine.generateId = (request: IncomingMessage) => {
    const id = `${hostname()}.${randomBytes(15).toString('base64url')}`;
    paths?.named(request, id);
    return id;
  };
  io.use((socket, next) => {
    const { token } = socket.handshake.auth as { token?: unknown };
    const authenticated = async () => {
      await gateway.turns.next();
      return gateway.authenticate(typeof token === 'string' ? token : '');
    };
    authenticated().then(
      (session) => {
        socket.data.session = session;
        next();
      },
      (error: unknown) => {
        const { code, message } = toAppError(gateway, error);
        next(Object.assign(new Error(message), { data: { code } }));
      },
    );
  });
  io.on('connection', (socket) => {
    new SocketConnection(socket, gateway, new SocketSink(socket, gateway, paths)).listen();
  });
  return {
    takesUpgrade,
    drain: async () => {
      for (const sink of gateway.sockets) sink.close();
      await io.close();
    },
  };
}

/** Lets what listens to upgrades so far, the engine, begin with those that it takes when it is their turn. */
function takeTurns(server: HttpServer, turns: Turns, takesUpgrade: SocketServer['takesUpgrade']): void {
  const listeners = server.listeners('upgrade');
  server.removeAllListeners('upgrade');
  server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    if (!takesUpgrade(request)) return;
    // One that breaks meanwhile is found out by the engine.
    const ignore = () => undefined;
    connection.on('error', ignore);
    turns.run(() => {
      for (const listener of listeners) Reflect.apply(listener, server, [request, connection, head]);
      connection.off('error', ignore);
    });
  });
}

/** A room of a socket from the moment at which its join is asked for. */
interface SocketRoom {
  /** Set once it is known that the user may watch the room. */
  watched?: { watcher: RoomWatcher; typing: Typing; close: () => void };
}

/** One client's socket: the rooms that it watches, and its token's end. */
class SocketConnection {
  readonly #rooms = new Map<string, SocketRoom>();
  readonly #limits = new EventLimits();
  #stopTimers: (() => void)[] = [];

  constructor(
    private readonly socket: ClientSocket,
    private readonly gateway: Gateway,
    private readonly sink: SocketSink,
  ) {}

  listen(): void {
    const { socket } = this;
    // Refusing costs little, but not nothing, and whoever does not read what it is told lets it pile up.
    socket.use((_event, next) => {
      if (this.#limits.admit()) next();
      else socket.disconnect(true);
    });
    this.#on('join', joinSchema, ({ room, after }, reply) => this.#join(room, after ?? undefined, reply));
    this.#on('leave', leaveSchema, ({ room }, reply) => {
      this.#leave(room);
      reply({ ok: true });
    });
    this.#on('typing', typingSchema, ({ room, typing }, reply) => this.#type(room, typing, reply));
    this.#on('authenticate', authenticateSchema, async ({ token }, reply) => {
      const session = await this.gateway.authenticate(token);
      if (session.user.id !== socket.data.session.user.id)
        throw new AppError('forbidden', 'The token is of another user.');
      socket.data.session = session;
      this.#watchExpiry();
      reply({ ok: true });
    });
    socket.on('disconnect', () => {
      this.#stopExpiry();
      for (const room of [...this.#rooms.keys()]) this.#leave(room);
    });
    this.#watchExpiry();
  }

  /** A join takes the place of an earlier one, and a later leave or join that of this one, whatever they wait for. */
  async #join(
    name: string,
    after: string | undefined,
    reply: (ack: JoinAck<AnySnapshot>) => void,
  ): Promise<void> {
    this.#leave(name);
    if (this.#rooms.size >= maxRooms)
      throw new AppError('invalid_request', `A socket watches at most ${maxRooms} rooms.`);
    const room: SocketRoom = {};
    this.#rooms.set(name, room);
    try {
      await this.gateway.turns.next();
      const { user } = this.socket.data.session;
      const target = await authorizeRoom(this.gateway, name, user);
      if (this.#rooms.get(name) !== room) throw new AppError('unavailable', 'The client has left.');
      const { watcher } = (room.watched = this.#watch(name, target, user));
      const joined = await watcher.join(after);
      reply({ ok: true, ...joined });
      watcher.start();
    } catch (error) {
      if (this.#rooms.get(name) === room) this.#leave(name);
      throw error;
    }
  }

  #watch(name: string, target: RoomTarget, user: User): Required<SocketRoom>['watched'] {
    const typing = new Typing(this.gateway.roomLog, target.room, user);
    const { watcher, close } = watchRoom(this.gateway, {
      target,
      user,
      sink: this.sink,
      onEnd: () => {
        this.#leave(name);
      },
    });
    return {
      watcher,
      typing,
      close: () => {
        typing.set(false);
        close();
      },
    };
  }

  async #type(name: string, typing: boolean, reply: (ack: Ack<object>) => void): Promise<void> {
    const { role } = await authorizeRoom(this.gateway, name, this.socket.data.session.user);
    const watched = this.#rooms.get(name)?.watched;
    if (!watched) throw new AppError('invalid_request', 'Join the room first.');
    if (!mayWrite(role)) throw new AppError('forbidden', `A ${role} may not do this.`);
    watched.typing.set(typing);
    reply({ ok: true });
  }

  #leave(name: string): void {
    const room = this.#rooms.get(name);
    this.#rooms.delete(name);
    room?.watched?.close();
  }

  #watchExpiry(): void {
    this.#stopExpiry();
    const { expiresAt } = this.socket.data.session;
    if (!expiresAt || this.socket.disconnected) return;
    const leftMs = expiresAt.getTime() - Date.now();
    this.#stopTimers = [
      setLongTimeout(() => {
        const data = { type: 'session.expiring', at: new Date().toISOString() };
        this.socket.emit(data.type, data);
      }, leftMs - expiryNoticeMs),
      setLongTimeout(() => this.socket.disconnect(true), leftMs),
    ];
  }

  #stopExpiry(): void {
    for (const stop of this.#stopTimers) stop();
    this.#stopTimers = [];
  }

  /** Listens to a client's event: counts it, checks its payload, and acknowledges with the handler's answer or an error. */
  #on<T>(
    event: LimitedEvent,
    schema: z.ZodType<T>,
    handler: (payload: T, reply: (ack: Ack<object>) => void) => void | Promise<void>,
  ): void {
    this.socket.on(event, (...args: unknown[]) => {
      const ack = args.at(-1);
      const reply = (answer: Ack<object>) => {
        if (typeof ack === 'function') (ack as (answer: Ack<object>) => void)(answer);
      };
      const run = async () => {
        this.#limits.take(event);
        const parsed = schema.safeParse(args[0]);
        if (!parsed.success) throw new AppError('invalid_request', z.prettifyError(parsed.error));
        await handler(parsed.data, reply);
      };
      run().catch((error: unknown) => {
        const { code, message } = toAppError(this.gateway, error);
        reply({ ok: false, error: { code, message } });
      });
    });
  }
}

function toAppError({ log }: Gateway, error: unknown): AppError {
  if (error instanceof AppError) return error;
  // A store that does not answer is the only failure that is expected here.
  log.warn({ reason: reasonOf(error) }, 'a socket event failed');
  return new AppError('unavailable', 'Try again in a moment.');
}
