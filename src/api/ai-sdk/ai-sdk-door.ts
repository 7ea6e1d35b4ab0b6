import { Router, type Request, type Response } from 'express';
import { AppError } from '../../domain/errors.js';
import type { Generation } from '../../domain/generation.js';
import { cancelConversation } from '../../service/cancel.js';
import { takeTurn } from '../../service/chat-turns.js';
import { transact } from '../../service/work.js';
import { findChat } from '../../store/chats.js';
import {
  findGeneration,
  listActiveGenerations,
  listGenerations,
  toGenerationHead,
} from '../../store/generations.js';
import { listMessages } from '../../store/messages.js';
import { conversationRoom } from '../../wire/room.js';
import { accept } from '../accept.js';
import type { Api } from '../api.js';
import { checkSchema } from '../check-schema.js';
import { sessionOf } from '../middleware/authenticate.js';
import { originOf } from '../origin.js';
import { parse } from '../parse.js';
import { answerChain } from './answer-chain.js';
import { chatBody, chatIdSchema, turnOf } from './chat-request.js';
import { uiHistory } from './ui-history.js';
import { UiMessageStream, uiMessageStreamHeaders } from './ui-message-stream.js';

const newestMessages = 200;

/**
 * `/ai-sdk`: where the AI SDK's `useChat` talks to (docs/ai-sdk.md). What is asked here goes the way of all questions:
 * accepted, queued, run by a worker, seen by its room.
 *
 * @param maxMessageChars longest message
 */
export function aiSdkDoor(api: Api, maxMessageChars: number): Router {
  const { answering, context, rateLimits, streams } = api;
  const body = chatBody(maxMessageChars);
  const router = Router({ caseSensitive: true });

  router.post('/chat', async (req, res) => {
    const fields = parse(body, req.body);
    const { user } = sessionOf(res);
    const accepted = await accept<{ generation: Generation }>(api, req, res, {
      fields,
      needsRedis: true,
      limit: async () => {
        await rateLimits.message(user.id);
        await checkSchema(context.schemas, fields.generate);
      },
      command: async (work) => ({
        status: 202,
        body: {
          generation: await takeTurn(context, work, {
            user,
            chatId: fields.id,
            turn: turnOf(fields),
            options: fields.generate,
            origin: originOf(req, res),
          }),
        },
      }),
    });
    const { generation } = accepted.body;
    // Its owner's other windows list a conversation that was made by it.
    if (generation.conversationId !== null)
      context.activity.note(conversationRoom(generation.conversationId));
    // Who goes on with an answer has what came before.
    await tell(req, res, generation.id, { isWhole: fields.messages.role === 'user' });
  });

  router.get('/chat/:id', async (req, res) => {
    const conversationId = await findOwn(req, res);
    const messages = conversationId === undefined ? [] : await answering(readHistory(conversationId));
    res.json({ messages });
  });

  router.get('/chat/:id/stream', async (req, res) => {
    const conversationId = await findOwn(req, res);
    const active =
      conversationId === undefined ? [] : await answering(listActiveGenerations(context.db, conversationId));
    const generation = active.find(({ status }) => status === 'running') ?? active[0];
    if (!generation) res.status(204).end();
    else await tell(req, res, generation.id, { isWhole: true });
  });

  router.post('/chat/:id/stop', async (req, res) => {
    const conversationId = await findOwn(req, res);
    const { user } = sessionOf(res);
    const generations =
      conversationId === undefined
        ? []
        : await answering(
            transact(context, (work) => cancelConversation(context, work, conversationId, user.id)),
          );
    res.json({ generations });
  });

  /** The caller's conversation of this name; undefined: the name has not been used. */
  function findOwn(req: Request, res: Response): Promise<string | undefined> {
    return answering(findChat(context.db, sessionOf(res).user.id, parse(chatIdSchema, req.params.id)));
  }

  async function readHistory(conversationId: string) {
    const messages = await listMessages(context.db, conversationId, { limit: newestMessages });
    const ids = messages.flatMap(({ generationId }) => generationId ?? []);
    const rows = await listGenerations(context.db, conversationId, ids);
    return uiHistory(messages, new Map(rows.map((row) => [row.id, toGenerationHead(row)])));
  }

  /** Answers with the stream of a generation. `isWhole`: with all of its message, not only what is new. */
  async function tell(req: Request, res: Response, generationId: string, { isWhole }: { isWhole: boolean }) {
    const { db } = context;
    const { generation, messageId, earlier } = await answering(
      (async () => {
        const row = await findGeneration(db, generationId);
        if (!row) throw new AppError('not_found', 'There is no such generation.');
        return { generation: row, ...(await answerChain(db, row)) };
      })(),
    );
    res.set(uiMessageStreamHeaders).location(`/v1/generations/${generationId}`);
    const dialect = new UiMessageStream({ messageId, earlier: isWhole ? earlier : [] });
    await streams.stream(req, res, generation, sessionOf(res), { dialect });
  }

  return router;
}
