import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { Request, RequestHandler } from 'express';
import type { Document } from '../../domain/document.js';
import { AppError } from '../../domain/errors.js';
import type { DocumentReader } from '../../reading/document-reader.js';
import type { ReadDocument } from '../../reading/read-file.js';
import { Unreadable } from '../../reading/unreadable.js';
import { acceptDocument } from '../../service/documents/commands.js';
import type { FileStorage } from '../../storage/file-storage.js';
import { insertFile } from '../../store/document-files.js';
import { documentOptionsSchema } from '../../wire/http.js';
import { accept } from '../accept.js';
import type { Api } from '../api.js';
import { checkValues } from '../check-values.js';
import { sessionOf } from '../middleware/authenticate.js';
import { parse } from '../parse.js';
import { receiveUpload, type Upload } from './receive-upload.js';

/** What documents need beside the other stores. */
export interface DocumentHost {
  storage: FileStorage;
  reader: DocumentReader;
  /** For files on their way, on the volume of a storage that is a folder. */
  incomingFolder: string;
  maxUploadBytes: number;
}

/**
 * `POST /v1/documents`: receives, reads and stores a file, then accepts the document that it is. Whatever fails, the
 * file is gone; what a crash leaves is swept away.
 */
export function uploadDocument(api: Api, host: DocumentHost): RequestHandler {
  const { context, rateLimits, requireRedis, answering } = api;
  return async (req, res) => {
    const { user } = sessionOf(res);
    await requireRedis();
    const { incomingFolder, maxUploadBytes, storage } = host;
    const upload = await receiveUpload(req, { folder: incomingFolder, maxBytes: maxUploadBytes });
    try {
      const options = parse(documentOptionsSchema, optionsIn(upload));
      const { name, bytes, sha256 } = upload;
      let ready: (ReadDocument & { fileKey: string }) | undefined;
      const { status, body } = await accept<Document>(api, req, res, {
        fields: { options, sha256 },
        prepare: async () => {
          await rateLimits.message(user.id);
          const document = await read(api, host, req, upload.path, user.id);
          const fileKey = randomUUID();
          await answering(insertFile(context.db, fileKey));
          await storage.save(fileKey, upload.path);
          ready = { ...document, fileKey };
        },
        command: async (work) => {
          // Its key was forgotten between the look and the taking.
          if (!ready) throw new AppError('unavailable', 'Try again.', { retryAfterSeconds: 1 });
          const file = { name, bytes, sha256, owner: user, options };
          return { status: 202, body: await acceptDocument(context, work, { ...file, ...ready }) };
        },
      });
      res.status(status).location(`/v1/documents/${body.id}`).json(body);
    } finally {
      await rm(upload.path, { force: true });
    }
  };
}

function optionsIn({ options: json = '{}' }: Upload): unknown {
  const options = parsed(json);
  checkValues(options);
  return options;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new AppError('invalid_request', 'options: is not valid JSON.', { cause });
  }
}

/** @throws AppError unreadable_document, unsupported_media_type */
async function read(
  { context: { log } }: Api,
  { reader }: DocumentHost,
  req: Request,
  path: string,
  userId: string,
): Promise<ReadDocument> {
  const gone = new AbortController();
  const onClose = () => {
    gone.abort(new AppError('invalid_request', 'The client has left.'));
  };
  req.socket.once('close', onClose);
  try {
    return await reader.read(path, userId, gone.signal);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const { reason, message, cause } = error;
    if (cause) log.info({ requestId: req.id, err: cause }, 'a document cannot be read');
    const code = reason === 'unsupported' ? 'unsupported_media_type' : 'unreadable_document';
    throw new AppError(code, message, { cause: error });
  } finally {
    req.socket.off('close', onClose);
  }
}
