import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, openAsBlob } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { TokencastError, watchDocument, type Document, type TokencastHttp } from '../../client/index.js';
import type { FoundFile } from './find-files.js';
import type { Ledger, LedgerEntry } from './ledger.js';
import { patiently } from '../patiently.js';
import type { FileProgress } from './progress-display.js';

/** What files are analysed with. */
export interface AnalyseContext {
  http: TokencastHttp;
  url: string;
  token: string;
  model: string | undefined;
  out: string;
  ledger: Ledger;
  /** Somebody wants it all to stop: what runs is cancelled. */
  signal: AbortSignal;
}

/** Has one file analysed, from where an earlier run has left it, and writes its results. */
export async function analyseFile(
  context: AnalyseContext,
  file: FoundFile,
  progress: FileProgress,
): Promise<Document> {
  const { http, signal } = context;
  const id = await documentOf(context, file);
  const stop = () => {
    // One that has ended meanwhile is none to stop.
    patiently(() => http.cancelDocument(id)).catch(() => undefined);
  };
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    await untilEnded(context, id, progress);
  } finally {
    signal.removeEventListener('abort', stop);
  }
  const document = await patiently(() => http.getDocument(id));
  await writeResults(context, file, document);
  return document;
}

/** The document of the file, new or going on. */
async function documentOf(context: AnalyseContext, file: FoundFile): Promise<string> {
  const { http, ledger, model, signal } = context;
  const fingerprint = await fingerprintOf(file.path, model);
  const known = ledger.entry(file.name);
  let entry: LedgerEntry =
    known?.fingerprint === fingerprint ? known : { fingerprint, idempotencyKey: randomUUID() };
  if (entry.documentId !== undefined) {
    if (await goOn(context, entry.documentId)) return entry.documentId;
    entry = { fingerprint, idempotencyKey: randomUUID() };
  }
  await ledger.keep(file.name, entry);
  const { idempotencyKey } = entry;
  const upload = async () =>
    http.uploadDocument(
      await openAsBlob(file.path),
      { name: basename(file.path), ...(model !== undefined && { options: { model } }) },
      { signal, idempotencyKey },
    );
  const { id } = await patiently(upload, signal);
  await ledger.keep(file.name, { ...entry, documentId: id });
  return id;
}

/** Lets a document that has not come to its end go on; false: it is no longer there. */
async function goOn({ http, signal }: AnalyseContext, id: string): Promise<boolean> {
  try {
    const { status } = await patiently(() => http.getDocument(id, { signal }), signal);
    if (status === 'cancelled' || status === 'failed')
      await patiently(() => http.resumeDocument(id, { signal }), signal);
    return true;
  } catch (error) {
    if (error instanceof TokencastError && error.code === 'not_found') return false;
    // Somebody else was faster.
    if (error instanceof TokencastError && error.status === 409) return true;
    throw error;
  }
}

/** Resolves when the document has ended. @throws TokencastError: it cannot be watched any more */
async function untilEnded({ url, token }: AnalyseContext, id: string, progress: FileProgress): Promise<void> {
  const watching = watchDocument(id, { url, getToken: () => token });
  try {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        const { room, connection } = watching.getSnapshot();
        if (room?.deleted) reject(new TokencastError('not_found', 'The document was deleted.'));
        if (connection.state === 'closed')
          reject(connection.error ?? new TokencastError('unreachable', 'The connection was closed.'));
        if (!room) return;
        progress.update(room.document);
        if (room.document.endedAt !== null) resolve();
      };
      watching.subscribe(look);
      look();
    });
  } finally {
    watching.close();
  }
}

async function fingerprintOf(path: string, model = ''): Promise<string> {
  const hash = createHash('sha256').update(`${model}\n`);
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function writeResults(
  { http, out }: AnalyseContext,
  { name }: FoundFile,
  document: Document,
): Promise<void> {
  const path = join(out, name);
  await mkdir(dirname(path), { recursive: true });
  const report = await patiently(() => http.getReport(document.id));
  for (const [ending, content] of [
    ['json', `${JSON.stringify(document, null, 2)}\n`],
    ['md', report],
  ] as const) {
    await writeFile(`${path}.${ending}.new`, content);
    await rename(`${path}.${ending}.new`, `${path}.${ending}`);
  }
}
