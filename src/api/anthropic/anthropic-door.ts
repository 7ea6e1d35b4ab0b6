import type { Request, RequestHandler, Response, Router } from 'express';
import { AppError, noSuch } from '../../domain/errors.js';
import { hasEnded, type Generation } from '../../domain/generation.js';
import { askWithHistory } from '../../service/message-lists.js';
import { isCursor, noCursor, type Cursor } from '../../wire/cursor.js';
import { conversationRoom, isUuid } from '../../wire/room.js';
import { accept } from '../accept.js';
import { createRouter, type Api } from '../api.js';
import { checkSchema } from '../check-schema.js';
import { signalOfLeaving } from '../leaving.js';
import { nothingHere } from '../middleware/problem.js';
import { sessionOf } from '../middleware/authenticate.js';
import { originOf } from '../origin.js';
import { parse } from '../parse.js';
import { readGeneration } from '../read-generation.js';
import { anthropicError, faultOfRun, requestIdOf } from './anthropic-errors.js';
import { messageOf } from './message-of.js';
import { countTokens, messageBodies, optionsOf, turnsOf } from './message-request.js';
import { MessageStream } from './message-stream.js';
import { modelOf, modelPage, modelQuery } from './model-list.js';

/** A wait looks again after this time, so that no lost signal keeps a client for ever. */
const lookAgainMs = 30_000;
/** A wait that ends so much earlier was ended by this server's end. */
const earlyMs = 1000;

/** Anthropic's SDKs send the token as a key. */
export const keyOf = (req: Request): string | undefined => req.get('x-api-key')?.trim();

/** Every answer of the door names its request, as the SDKs show it. */
export const anthropicHead: RequestHandler = (req, res, next) => {
  res.set('request-id', requestIdOf(req));
  next();
};

/**
 * `/anthropic`: where Anthropic's SDKs talk to (docs/anthropic.md). What is asked here goes the way of all questions:
 * accepted, queued, run by a worker, seen by its room.
 *
 * @param maxMessageChars longest message
 */
export function anthropicDoor(api: Api, maxMessageChars: number): Router {
  const { answering, context, rateLimits, streams } = api;
  const bodies = messageBodies(maxMessageChars);
  const router = createRouter();

  router.post('/v1/messages', async (req, res) => {
    const body = parse(bodies.create, req.body);
    const { stream, ...asked } = body;
    const conversationId = conversationIn(req);
    context.models.resolve(body.model);
    const options = optionsOf(body);
    const { user } = sessionOf(res);
    const accepted = await accept<{ generation: Generation }>(api, req, res, {
      fields: { ...asked, conversationId },
      needsRedis: true,
      limit: async () => {
        await rateLimits.message(user.id);
        await checkSchema(context.schemas, options);
      },
      command: async (work) => ({
        status: 202,
        body: {
          generation: await askWithHistory(context, work, {
            user,
            conversationId,
            messages: turnsOf(body),
            options,
            metadata: body.metadata ? { ...body.metadata } : null,
            origin: originOf(req, res),
          }),
        },
      }),
    });
    const { generation } = accepted.body;
    // Its owner's windows list a conversation that was made by it.
    if (generation.conversationId !== null)
      context.activity.note(conversationRoom(generation.conversationId));
    if (stream) await tell(req, res, generation, { after: undefined, mayBeginAnew: false });
    else await answerWhole(req, res, generation);
  });

  router.get('/v1/messages/:id/events', async (req, res) => {
    const generation = await read(req, res, req.params.id);
    if (generation.conversationId === null) throw noSuch('generation');
    await tell(req, res, generation, { after: cursorIn(req), mayBeginAnew: true });
  });

  router.post('/v1/messages/count_tokens', (req, res) => {
    const body = parse(bodies.count, req.body);
    context.models.resolve(body.model);
    res.json({ input_tokens: countTokens(body) });
  });

  router.get('/v1/models', (req, res) => {
    res.json(modelPage(context.models.available, parse(modelQuery, req.query)));
  });

  router.get('/v1/models/:name', (req, res) => {
    const model = context.models.available.find(({ id }) => id === req.params.name);
    if (!model) throw noSuch('model');
    res.json(modelOf(model));
  });

  router.use(nothingHere);
  return router;

  function read(req: Request, res: Response, generationId: string): Promise<Generation> {
    return answering(readGeneration(context, generationId, sessionOf(res).user.id));
  }

  /** Answers with the stream of a generation. */
  async function tell(
    req: Request,
    res: Response,
    generation: Generation,
    { after, mayBeginAnew }: { after: Cursor | undefined; mayBeginAnew: boolean },
  ): Promise<void> {
    name(res, generation);
    const requestId = requestIdOf(req);
    const dialect = new MessageStream({ generation, requestId, mayBeginAnew, follows: after !== undefined });
    await streams.stream(req, res, generation, sessionOf(res), { dialect, after });
  }

  /** Answers with the message once it is whole, however long that takes. */
  async function answerWhole(req: Request, res: Response, generation: Generation): Promise<void> {
    name(res, generation);
    const gone = signalOfLeaving(res);
    let now = generation;
    while (!hasEnded(now.status)) {
      const before = performance.now();
      await streams.waitForEnd(generation, lookAgainMs, gone, sessionOf(res));
      if (gone.aborted) return; // whoever leaves early cancels nothing
      now = await read(req, res, generation.id);
      if (hasEnded(now.status) || performance.now() - before >= lookAgainMs - earlyMs) continue;
      // Without a key of its own a further request would ask a second time.
      if (req.get('idempotency-key') === undefined) res.set('x-should-retry', 'false');
      const message = 'This server has to go. The answer goes on: read its events, by the x-generation-id.';
      throw new AppError('unavailable', message, { retryAfterSeconds: 1 });
    }
    if (now.status === 'completed') {
      res.json(messageOf(now));
      return;
    }
    const { status, type, message, mayRetry } = faultOfRun(now);
    if (!mayRetry) res.set('x-should-retry', 'false');
    res.status(status).json(anthropicError(type, message, requestIdOf(req)));
  }
}

/** Says in the head what the SDKs hand on: by which names the run can be watched, cancelled and gone on with. */
function name(res: Response, { id, conversationId }: Generation): void {
  res.set('x-generation-id', id).location(`/v1/generations/${id}`);
  if (conversationId !== null) res.set('x-conversation-id', conversationId);
}

/** Where a question is to be asked. @throws AppError not_found: it is no id of ours */
function conversationIn(req: Request): string | undefined {
  const id = req.get('x-conversation-id');
  if (id !== undefined && !isUuid(id)) throw noSuch('conversation');
  return id;
}

/** Where the client goes on; undefined: from the beginning. @throws AppError invalid_request */
function cursorIn(req: Request): Cursor | undefined {
  const given = req.get('last-event-id') ?? '';
  if (given === '' || given === noCursor) return undefined;
  if (!isCursor(given))
    throw new AppError('invalid_request', 'Last-Event-ID is not a cursor of this stream.');
  return given;
}
