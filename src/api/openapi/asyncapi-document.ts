import { z } from 'zod';
import { authenticateSchema, joinSchema, leaveSchema, typingSchema } from '../../wire/socket-events.js';
import { cursor, roomEvents, snapshot } from '../../wire/answers/room-events.js';
import { errorCode } from '../../wire/answers/common.js';
import { chunkEvent, endEvent, ids } from './examples.js';
import { componentsOf, refTo } from './json-schemas.js';
import { answerSchemas, eventSchemaName } from './named-schemas.js';

const room = `conversation:${ids.conversation}`;

const refused = z.object({
  ok: z.literal(false),
  error: z.object({ code: errorCode, message: z.string() }),
});
const done = z.union([z.object({ ok: z.literal(true) }), refused]);
const joined = z.union([
  z.object({
    ok: z.literal(true),
    resumed: z.boolean().describe('What came after `after` follows as ordinary events.'),
    cursor,
    snapshot: snapshot.optional().describe('The room as it is at `cursor`; where it is not resumed.'),
  }),
  refused,
]);

/** What clients send, with what each is acknowledged with. */
const commands = {
  join: {
    summary: 'Watch a room',
    schema: joinSchema,
    example: { room, after: chunkEvent.cursor },
    ack: 'JoinAck',
  },
  leave: { summary: 'Watch it no more', schema: leaveSchema, example: { room }, ack: 'Ack' },
  typing: {
    summary: 'Say that one types, or no more',
    schema: typingSchema,
    example: { room, typing: true },
    ack: 'Ack',
  },
  authenticate: {
    summary: 'A fresh token for the same user, before the old one ends',
    schema: authenticateSchema,
    example: { token: 'eyJhbGciOiJIUzI1NiJ9…' },
    ack: 'Ack',
  },
} as const;

const acks = {
  Ack: { schema: done, example: { ok: true } },
  JoinAck: { schema: joined, example: { ok: true, resumed: true, cursor: chunkEvent.cursor } },
};

const eventExamples = new Map<string, object>([chunkEvent, endEvent].map((event) => [event.type, event]));

const commandSchemaName = (name: string) => `${name[0]?.toUpperCase() ?? ''}${name.slice(1)}Command`;

/** The socket as AsyncAPI 3 tells it, made from the schemas that its events are checked with. */
export function asyncApiDocument(version: string) {
  const channel = { $ref: '#/channels/socket' };
  const onChannel = (name: string) => ({ $ref: `#/channels/socket/messages/${name}` });
  const ofComponents = (name: string) => ({ $ref: `#/components/messages/${name}` });
  const message = (name: string, schema: string, summary: string | undefined, example?: object) => ({
    name,
    ...(summary !== undefined && { summary }),
    payload: refTo(schema),
    ...(example && { examples: [{ payload: example }] }),
  });
  const messages = {
    ...Object.fromEntries(
      Object.entries(commands).map(([name, { summary, example }]) => [
        name,
        message(name, commandSchemaName(name), summary, example),
      ]),
    ),
    ...Object.fromEntries(
      Object.entries(acks).map(([name, { example }]) => [
        name,
        message(name, name, 'The acknowledgement', example),
      ]),
    ),
    // "snapshot" and "typing" are also what clients hear of: those have the names of their schemas.
    ...Object.fromEntries(
      [...roomEvents].map(([type, schema]) => [
        eventSchemaName(type),
        message(type, eventSchemaName(type), schema.description, eventExamples.get(type)),
      ]),
    ),
  };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Tokencast: the socket',
      version,
      description:
        'Socket.IO on its default path and namespace, with `auth: {token}`; a bad token: `connect_error` with ' +
        '`data.code`. The name of an event is its `type`, its one argument the payload. No event of a room comes before ' +
        'the acknowledgement of its join. Commands (send, cancel, …) travel by HTTP: `/openapi.json`.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    channels: {
      socket: {
        address: '/',
        title: 'The default namespace',
        messages: Object.fromEntries(Object.keys(messages).map((name) => [name, ofComponents(name)])),
      },
    },
    operations: {
      ...Object.fromEntries(
        Object.entries(commands).map(([name, { summary, ack }]) => [
          name,
          {
            action: 'receive',
            channel,
            summary,
            messages: [onChannel(name)],
            reply: { channel, messages: [onChannel(ack)] },
          },
        ]),
      ),
      tell: {
        action: 'send',
        channel,
        summary: 'What happens in the rooms that are watched',
        messages: [...roomEvents.keys()].map((type) => onChannel(eventSchemaName(type))),
      },
    },
    components: {
      messages,
      schemas: componentsOf({
        ...answerSchemas,
        ...Object.fromEntries(
          Object.entries(commands).map(([name, { schema }]) => [commandSchemaName(name), schema]),
        ),
        ...Object.fromEntries(Object.entries(acks).map(([name, { schema }]) => [name, schema])),
      }),
    },
  };
}

/** Where the socket is, of a server at this address. */
export function asyncApiServers(serverUrl: string) {
  const [, protocol = 'http', host = ''] = /^(https?):\/\/([^/]*)/.exec(serverUrl) ?? [];
  return { default: { host, protocol: protocol === 'https' ? 'wss' : 'ws', pathname: '/socket.io/' } };
}
