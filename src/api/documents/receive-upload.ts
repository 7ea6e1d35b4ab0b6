import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import type { Request } from 'express';
import { AppError } from '../../domain/errors.js';

/** What came with an upload. The file is at `path`, for the receiver to move or remove. */
export interface Upload {
  path: string;
  name: string;
  bytes: number;
  /** In hexadecimal digits. */
  sha256: string;
  /** The field `options`, as it was sent. */
  options: string | undefined;
}

interface ReceiveOptions {
  /** Where the file is put. */
  folder: string;
  maxBytes: number;
}

/** What a multipart body has beside the file: boundaries, headers, options. */
const overheadBytes = 131_072;
const maxNameLength = 200;

/**
 * Writes the `file` of a multipart body to the disk as it comes, counted and hashed on its way.
 *
 * @throws AppError unsupported_media_type (no multipart), payload_too_large (at once), invalid_request
 */
export async function receiveUpload(req: Request, { folder, maxBytes }: ReceiveOptions): Promise<Upload> {
  if (!req.is('multipart/form-data'))
    throw new AppError('unsupported_media_type', 'Send multipart/form-data, with the document as "file".');
  if (Number(req.headers['content-length'] ?? 0) > maxBytes + overheadBytes) throw tooLarge(maxBytes);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, randomUUID());
  try {
    return await receive(req, path, maxBytes);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

const tooLarge = (maxBytes: number) =>
  new AppError('payload_too_large', `A document has at most ${maxBytes} bytes.`);

async function receive(req: Request, path: string, maxBytes: number): Promise<Upload> {
  const parser = parserFor(req);
  let file: Promise<Omit<Upload, 'options'>> | undefined;
  let options: string | undefined;
  const parsed = new Promise<void>((resolve, reject) => {
    parser.on('file', (field, stream, { filename }) => {
      if (field !== 'file' || file) {
        stream.resume();
        reject(new AppError('invalid_request', 'Send one file, as "file".'));
        return;
      }
      file = write(stream, path, maxBytes).then((written) => ({ ...written, path, name: nameOf(filename) }));
      file.catch(reject);
    });
    parser.on('field', (field, value, { valueTruncated }) => {
      if (valueTruncated) reject(new AppError('invalid_request', `${field}: is too long.`));
      if (field === 'options') options = value;
    });
    for (const limit of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const)
      parser.once(limit, () => {
        reject(new AppError('invalid_request', 'The body has too many parts.'));
      });
    parser.once('error', (cause) => {
      reject(new AppError('invalid_request', 'The multipart body cannot be read.', { cause }));
    });
    parser.once('close', resolve);
    req.once('aborted', () => {
      reject(new AppError('invalid_request', 'The upload was broken off.'));
    });
  });
  req.pipe(parser);
  try {
    await parsed;
    if (!file) throw new AppError('invalid_request', 'file: is missing.');
    return { ...(await file), options };
  } catch (error) {
    // Whatever is still to come is of no interest; the answer does not wait for it.
    req.unpipe(parser);
    req.resume();
    parser.destroy();
    await file?.catch(() => undefined);
    throw error;
  }
}

function parserFor(req: Request): busboy.Busboy {
  try {
    return busboy({
      headers: req.headers,
      defParamCharset: 'utf8',
      limits: { files: 2, fields: 8, parts: 12, fieldNameSize: 100, fieldSize: 65_536 },
    });
  } catch (cause) {
    throw new AppError('invalid_request', 'The multipart body has no boundary.', { cause });
  }
}

async function write(
  stream: Readable,
  path: string,
  maxBytes: number,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const count = new Transform({
    transform(part: Buffer, _encoding, done) {
      bytes += part.length;
      if (bytes > maxBytes) {
        done(tooLarge(maxBytes));
        return;
      }
      hash.update(part);
      done(null, part);
    },
  });
  await pipeline(stream, count, createWriteStream(path, { mode: 0o600 }));
  return { bytes, sha256: hash.digest('hex') };
}

/** The name as it is shown: busboy has taken folders away. */
function nameOf(filename: string | undefined): string {
  const name = (filename ?? '')
    .toWellFormed()
    .replace(/\p{Cc}/gu, '')
    .trim();
  return name === '' ? 'document' : name.slice(-maxNameLength).toWellFormed();
}
