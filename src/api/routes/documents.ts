import { pipeline } from 'node:stream/promises';
import type { Router } from 'express';
import { documentReport } from '../../domain/document-report.js';
import { AppError } from '../../domain/errors.js';
import {
  cancelDocument,
  deleteDocument,
  resumeDocument,
  retrySection,
} from '../../service/documents/commands.js';
import { readLiveDocument, readLiveSection, requireOwn } from '../../service/documents/read-document.js';
import { transact } from '../../service/work.js';
import { findFileOf } from '../../store/document-files.js';
import { listDocumentHeads } from '../../store/document-views.js';
import { listQuery } from '../../wire/http.js';
import { accept } from '../accept.js';
import { createRouter, type Api } from '../api.js';
import type { DocumentHost } from '../documents/upload-document.js';
import { sessionOf } from '../middleware/authenticate.js';
import { pageOf } from '../page.js';
import { parse } from '../parse.js';

/** `/v1/documents`, but for the upload, whose body is no JSON. All of it is the owner's alone. */
export function documentRoutes(api: Api, { storage }: DocumentHost): Router {
  const { answering, context, rateLimits } = api;
  const router = createRouter();

  router.param('index', (_req, _res, next, index) => {
    if (!/^\d{1,6}$/.test(String(index))) throw new AppError('not_found', 'There is no such section.');
    next();
  });

  router.get('/', async (req, res) => {
    const page = parse(listQuery, req.query);
    const { user } = sessionOf(res);
    res.json(pageOf(await answering(listDocumentHeads(context.db, user.id, page)), page.limit));
  });

  router.get('/:id', async (req, res) => {
    res.json(await answering(readLiveDocument(context, req.params.id, sessionOf(res).user.id)));
  });

  router.get('/:id/report.md', async (req, res) => {
    const document = await answering(readLiveDocument(context, req.params.id, sessionOf(res).user.id));
    res.type('text/markdown').send(documentReport(document));
  });

  /** The file as it was sent. Always as an attachment: it may be somebody's HTML. */
  router.get('/:id/file', async (req, res) => {
    const { user } = sessionOf(res);
    await answering(requireOwn(context, req.params.id, user.id));
    const document = await answering(readLiveDocument(context, req.params.id, user.id));
    const key = await answering(findFileOf(context.db, req.params.id));
    const file = key === undefined ? undefined : await storage.open(key);
    if (!file) throw new AppError('not_found', 'The file is no longer there.');
    res.attachment(document.name).type(document.mediaType).set('Content-Length', String(document.bytes));
    await pipeline(file, res).catch((error: unknown) => {
      if (!hasLeft(error)) throw error;
    });
  });

  router.get('/:id/sections/:index', async (req, res) => {
    const { id, index } = req.params;
    const { user } = sessionOf(res);
    res.json(await answering(readLiveSection(context, id, Number(index), user.id)));
  });

  router.delete('/:id', async (req, res) => {
    const { user } = sessionOf(res);
    await answering(transact(context, (work) => deleteDocument(context, work, req.params.id, user.id)));
    res.status(204).end();
  });

  router.post('/:id/cancel', async (req, res) => {
    const { user } = sessionOf(res);
    const document = await answering(
      transact(context, (work) => cancelDocument(context, work, req.params.id, user.id)),
    );
    res.status(202).json(document);
  });

  router.post('/:id/resume', async (req, res) => {
    const { user } = sessionOf(res);
    const { status, body } = await accept(api, req, res, {
      fields: {},
      needsRedis: true,
      limit: () => rateLimits.message(user.id),
      command: async (work) => ({
        status: 202,
        body: await resumeDocument(context, work, req.params.id, user.id),
      }),
    });
    res.status(status).json(body);
  });

  router.post('/:id/sections/:index/retry', async (req, res) => {
    const { id, index } = req.params;
    const { user } = sessionOf(res);
    const { status, body } = await accept(api, req, res, {
      fields: {},
      needsRedis: true,
      limit: () => rateLimits.message(user.id),
      command: async (work) => ({
        status: 202,
        body: await retrySection(context, work, id, Number(index), user.id),
      }),
    });
    res.status(status).json(body);
  });

  return router;
}

/** Whether a client did not stay for all of an answer: that is no fault of ours. */
const hasLeft = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
