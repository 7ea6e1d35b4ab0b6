import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { AppError } from '../domain/errors.js';
import type { Generation } from '../domain/generation.js';
import { canonicalJson } from '../lib/canonical-json.js';
import { transact, type Work } from '../service/work.js';
import {
  findKeptResponse,
  keepResponse,
  takeIdempotencyKey,
  type IdempotencyKey,
} from '../store/idempotency.js';
import type { Transaction } from '../store/database.js';
import type { ServiceContext } from '../service/service-context.js';
import type { Api } from './api.js';
import { sessionOf } from './middleware/authenticate.js';
import { logWith } from './middleware/request-log.js';
import type { StoreWatch } from './store-watch.js';

/** What a POST that makes something answers. */
export interface Acceptance<T> {
  status: 201 | 202;
  body: T;
}

interface AcceptOptions<T> {
  /** The parsed fields: what makes two requests the same. */
  fields: unknown;
  /** What it makes has to be queued: without Redis it is refused at once, as `unavailable` whatever the limit says. */
  needsRedis?: true;
  /** Throws when the caller has had enough; not asked when an acceptance is only repeated. */
  limit?: () => Promise<void>;
  /** What takes too long for the transaction, before it; not done when an acceptance is only repeated. */
  prepare?: () => Promise<void>;
  /** Makes the thing, in a transaction. */
  command: (work: Work) => Promise<Acceptance<T>>;
}

const keyPattern = /^[\x21-\x7e]{1,255}$/;

/**
 * Runs a command that makes something, once for each `Idempotency-Key` of a user on a route. The key is taken in the
 * command's transaction: a twin that comes meanwhile waits for it (5 s, then `unavailable`) and gets the same
 * acceptance, with `Idempotency-Replayed: true`; what is refused leaves no key behind.
 *
 * @throws AppError idempotency_key_reused: the key stands for another body
 */
export async function accept<T extends object>(
  { context, answering, requireRedis }: Pick<Api, 'context' | 'answering' | 'requireRedis'>,
  req: Request,
  res: Response,
  { fields, needsRedis, limit, prepare, command }: AcceptOptions<T>,
): Promise<Acceptance<T>> {
  const given = req.get('idempotency-key');
  if (given === undefined) {
    // Begun together, but Redis decides first: without it each process counts by itself.
    const limited = limit?.();
    limited?.catch(() => undefined);
    if (needsRedis) await requireRedis();
    await limited;
    await prepare?.();
    return logged(res, await unlessRefused(answering, context, command));
  }
  if (!keyPattern.test(given))
    throw new AppError('invalid_request', 'Idempotency-Key must be 1 to 255 printable ASCII characters.');
  if (needsRedis) await requireRedis();
  const path = (req.baseUrl + req.path).replace(/\/+$/, '');
  const key: IdempotencyKey = { userId: sessionOf(res).user.id, route: `${req.method} ${path}`, key: given };
  const hash = createHash('sha256').update(canonicalJson(fields)).digest('hex');
  if (prepare && !(await answering(findKeptResponse(context.db, key)))) await prepare();
  const once = async (work: Work): Promise<Acceptance<T>> => {
    if (!(await takeIdempotencyKey(work.tx, key, hash))) {
      const kept = await findAcceptance<T>(work.tx, key, hash);
      res.set('Idempotency-Replayed', 'true');
      return kept;
    }
    await limit?.();
    const acceptance = await command(work);
    await keepResponse(work.tx, key, acceptance.status, acceptance.body);
    return acceptance;
  };
  return logged(res, await unlessRefused(answering, context, once));
}

/**
 * Runs the command; where the caller was told meanwhile that it is refused, since Postgres did not answer, it comes to
 * nothing when Postgres goes on. Only one whose commit was under way may then still be taken.
 */
async function unlessRefused<T>(
  answering: StoreWatch['answering'],
  context: ServiceContext,
  command: (work: Work) => Promise<T>,
): Promise<T> {
  let refused = false;
  const run = async (work: Work) => {
    const value = await command(work);
    // As COMMIT is about to be sent: what follows the command may take its time, too.
    work.beforeCommit(() => {
      if (refused) throw new AppError('unavailable', 'It was refused already.');
    });
    return value;
  };
  try {
    return await answering(transact(context, run, 'accept'));
  } catch (error) {
    refused = true;
    throw error;
  }
}

/** Has the line of the request name the generation that was accepted, by which the lines of its worker are found. */
function logged<T extends object>(res: Response, acceptance: Acceptance<T>): Acceptance<T> {
  const { generation } = acceptance.body as { generation?: Pick<Generation, 'id' | 'conversationId'> | null };
  if (generation)
    logWith(res, { generationId: generation.id, conversationId: generation.conversationId ?? undefined });
  return acceptance;
}

async function findAcceptance<T>(tx: Transaction, key: IdempotencyKey, hash: string): Promise<Acceptance<T>> {
  const kept = await findKeptResponse(tx, key);
  if (!kept) throw new AppError('unavailable', 'Try again.', { retryAfterSeconds: 1 }); // a day old, and just deleted
  if (kept.bodyHash !== hash)
    throw new AppError('idempotency_key_reused', 'This Idempotency-Key stands for another request.');
  // Written above, by the same route.
  return { status: kept.status, body: kept.response } as Acceptance<T>;
}
