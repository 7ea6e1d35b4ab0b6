import { STATUS_CODES } from 'node:http';
import ipaddr from 'ipaddr.js';
import { Webhook } from 'standardwebhooks';
import { Agent, request } from 'undici';
import { linkAbort } from '../../src/lib/link-abort.js';
import { rootCause } from '../../src/lib/root-cause.js';
import { ForbiddenAddressError, isPublicAddress, lookupOf } from '../tools/public-address.js';

/** What is sent, and where to. */
export interface Envelope {
  url: string;
  secret: string;
  /** The same at every attempt. */
  eventId: string;
  payload: string;
}

/** How an attempt went. */
export interface Attempt {
  arrived: boolean;
  /** Null: there was no answer. */
  statusCode: number | null;
  /** Why it did not arrive. */
  error: string | null;
}

interface SenderOptions {
  /** Whether addresses in networks of ours may be reached; by default those of the public internet alone. */
  allowPrivate: boolean;
  timeoutMs?: number;
}

/** Nobody reads what an endpoint answers; more than this is not waited for. */
const maxAnswerBytes = 16_384;

/**
 * Sends one event to one endpoint, signed after Standard Webhooks (https://www.standardwebhooks.com). The address that
 * is really reached is checked, redirects are not followed, and an answer has its time and size.
 */
export class WebhookSender {
  readonly #agent: Agent;
  readonly #isAllowed: (address: string) => boolean;
  readonly #timeoutMs: number;

  constructor({ allowPrivate, timeoutMs = 15_000 }: SenderOptions) {
    this.#isAllowed = allowPrivate ? () => true : isPublicAddress;
    this.#timeoutMs = timeoutMs;
    this.#agent = new Agent({
      connect: { lookup: lookupOf(this.#isAllowed), timeout: 5000 },
      keepAliveTimeout: 1000,
    });
  }

  /** @throws the signal's reason, and nothing else */
  async send({ url, secret, eventId, payload }: Envelope, signal: AbortSignal): Promise<Attempt> {
    const deadline = new AbortController();
    const timer = setTimeout(() => {
      deadline.abort(new Error('too slow'));
    }, this.#timeoutMs);
    const unlink = linkAbort(deadline, signal);
    try {
      this.#checkAddress(url);
      const now = new Date();
      const { statusCode, body } = await request(url, {
        method: 'POST',
        dispatcher: this.#agent,
        signal: deadline.signal,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Tokencast',
          'webhook-id': eventId,
          'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
          'webhook-signature': new Webhook(secret).sign(eventId, now, payload),
        },
        body: payload,
      });
      // It has been told, whatever becomes of the rest.
      await body.dump({ limit: maxAnswerBytes }).catch(() => undefined);
      const arrived = statusCode >= 200 && statusCode < 300;
      return { arrived, statusCode, error: arrived ? null : said(statusCode) };
    } catch (error) {
      signal.throwIfAborted();
      const reason = deadline.signal.aborted
        ? `It took longer than ${this.#timeoutMs / 1000} s.`
        : reasonOf(error);
      return { arrived: false, statusCode: null, error: reason };
    } finally {
      clearTimeout(timer);
      unlink();
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** For an address instead of a name nothing is looked up. */
  #checkAddress(url: string): void {
    const address = new URL(url).hostname.replace(/^\[|\]$/g, '');
    if (ipaddr.isValid(address) && !this.#isAllowed(address)) throw new ForbiddenAddressError(address);
  }
}

const said = (statusCode: number): string =>
  `It answered ${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trim() + '.';

/** Without addresses: the owner of an endpoint learns nothing of our network. */
function reasonOf(error: unknown): string {
  const cause = rootCause(error);
  if (cause instanceof ForbiddenAddressError) return `${cause.message}.`;
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
  return `It cannot be reached${code}.`;
}
