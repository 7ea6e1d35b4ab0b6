import type { Request, Response, Router } from 'express';
import { textOf } from '../../domain/content.js';
import type { Message } from '../../domain/conversation.js';
import { hasEnded, type Generation } from '../../domain/generation.js';
import { requireRight } from '../../service/access.js';
import { contentSoFar } from '../../service/cancel.js';
import { clearMessages } from '../../service/conversations.js';
import { deleteMessage, editMessage, regenerate } from '../../service/rewrite.js';
import { sendMessage } from '../../service/send-message.js';
import type { ServiceContext } from '../../service/service-context.js';
import { transact } from '../../service/work.js';
import { listGenerations } from '../../store/generations.js';
import { listMessages } from '../../store/messages.js';
import { generationOptionsSchema } from '../../wire/generation-options.js';
import { listQuery } from '../../wire/http.js';
import { accept, type Acceptance } from '../accept.js';
import { checkSchema } from '../check-schema.js';
import { createRouter, type Api } from '../api.js';
import { signalOfLeaving } from '../leaving.js';
import { sessionOf } from '../middleware/authenticate.js';
import { originOf } from '../origin.js';
import { pageOfTurns } from '../page.js';
import { parse } from '../parse.js';
import { readGeneration } from '../read-generation.js';

const maxWaitSeconds = 50;

interface AcceptedMessage {
  message: Message;
  /** Absent for a remark between people. */
  generation?: Generation;
}

/** `/v1/conversations/:id/messages`. */
export function messageRoutes(api: Api): Router {
  const { answering, bodies, context, rateLimits } = api;
  const router = createRouter();

  router.get('/:id/messages', async (req, res) => {
    const page = parse(listQuery, req.query);
    await answering(requireRight(context.db, req.params.id, sessionOf(res).user.id, 'read'));
    const { items, nextBefore } = pageOfTurns(
      await answering(listMessages(context.db, req.params.id, page)),
      page.limit,
    );
    res.json({ items: await answering(withLiveText(context, req.params.id, items)), nextBefore });
  });

  router.post('/:id/messages', async (req, res) => {
    const fields = parse(bodies.message, req.body);
    const { user } = sessionOf(res);
    const acceptance = await accept<AcceptedMessage>(api, req, res, {
      fields,
      needsRedis: true,
      limit: async () => {
        await rateLimits.message(user.id);
        await checkSchema(context.schemas, fields.generate);
      },
      command: async (work) => {
        const { message, generation } = await sendMessage(context, work, {
          conversationId: req.params.id,
          author: user,
          content: fields.content,
          generate: fields.generate === true ? {} : fields.generate,
          clientId: fields.clientId ?? null,
          metadata: fields.metadata ?? null,
          origin: originOf(req, res),
        });
        return generation
          ? { status: 202, body: { message, generation } }
          : { status: 201, body: { message } };
      },
    });
    await answerAccepted(api, req, res, acceptance);
  });

  router.delete('/:id/messages', async (req, res) => {
    const { user } = sessionOf(res);
    await answering(transact(context, (work) => clearMessages(context, work, req.params.id, user.id)));
    res.status(204).end();
  });

  return router;
}

/** `/v1/messages/:id`. */
export function singleMessageRoutes(api: Api): Router {
  const { answering, bodies, context, rateLimits, requireRedis } = api;
  const router = createRouter();

  router.patch('/:id', async (req, res) => {
    const { content, regenerate } = parse(bodies.edit, req.body);
    const { user } = sessionOf(res);
    if (regenerate) {
      await requireRedis();
      await rateLimits.message(user.id);
      await checkSchema(context.schemas, regenerate);
    }
    const edit = {
      messageId: req.params.id,
      userId: user.id,
      content,
      regenerate: regenerate === true ? {} : regenerate,
    };
    const { message, generation } = await answering(
      transact(context, (work) => editMessage(context, work, edit)),
    );
    if (generation) res.status(202).json({ message, generation });
    else res.json(message);
  });

  router.delete('/:id', async (req, res) => {
    const { user } = sessionOf(res);
    await answering(transact(context, (work) => deleteMessage(context, work, req.params.id, user.id)));
    res.status(204).end();
  });

  router.post('/:id/regenerate', async (req, res) => {
    const fields = parse(generationOptionsSchema, req.body ?? {});
    const { user } = sessionOf(res);
    const { status, body } = await accept(api, req, res, {
      fields,
      needsRedis: true,
      limit: async () => {
        await rateLimits.message(user.id);
        await checkSchema(context.schemas, fields);
      },
      command: async (work) => ({
        status: 202,
        body: { generation: await regenerate(context, work, req.params.id, user.id, fields) },
      }),
    });
    res.location(`/v1/generations/${body.generation.id}`).status(status).json(body);
  });

  return router;
}

/** Answers an acceptance as the client asked for: by its stream, when it has ended, or at once. */
async function answerAccepted(
  { answering, context, streams }: Api,
  req: Request,
  res: Response,
  { status, body }: Acceptance<AcceptedMessage>,
): Promise<void> {
  const { message, generation } = body;
  if (!generation) {
    res.status(status).json(body);
    return;
  }
  const session = sessionOf(res);
  const current = () => answering(readGeneration(context, generation.id, session.user.id));
  res.location(`/v1/generations/${generation.id}`);
  if (req.accepts(['application/json', 'text/event-stream']) === 'text/event-stream') {
    await streams.stream(req, res, await current(), session);
    return;
  }
  const waitSeconds = waitOf(req.get('prefer'));
  if (waitSeconds === 0) {
    res.status(status).json(body);
    return;
  }
  const gone = signalOfLeaving(res);
  await streams.waitForEnd(generation, waitSeconds * 1000, gone, session);
  if (gone.aborted) return; // whoever leaves early cancels nothing
  const now = await current();
  res
    .set('Preference-Applied', `wait=${waitSeconds}`)
    .status(hasEnded(now.status) ? 200 : 202)
    .json({ message, generation: now });
}

/** The seconds of `Prefer: wait=<s>` (RFC 7240), cut to what we keep a request waiting; 0: not asked for. */
export function waitOf(prefer = ''): number {
  const seconds = /(?:^|[,;])\s*wait\s*=\s*"?(\d+)"?\s*(?=$|[,;])/i.exec(prefer)?.[1];
  return Math.min(Number(seconds ?? 0), maxWaitSeconds);
}

/** Gives those that are being written what there is of them. */
async function withLiveText(
  context: ServiceContext,
  conversationId: string,
  messages: Message[],
): Promise<Message[]> {
  const ids = messages.flatMap(({ status, generationId }) =>
    status === 'streaming' && generationId !== null ? [generationId] : [],
  );
  const rows = await listGenerations(context.db, conversationId, ids);
  const live = new Map(
    await Promise.all(rows.map(async (row) => [row.id, await contentSoFar(context, row)] as const)),
  );
  return messages.map((message) => {
    const content = message.generationId === null ? undefined : live.get(message.generationId);
    return content ? { ...message, content, text: textOf(content) } : message;
  });
}
