import { Agent, fetch, type Dispatcher, type Response } from 'undici';
import { z } from 'zod';
import { rootCause } from '../../src/lib/root-cause.js';
import { ThreadLimitError, type ThreadPool } from '../../src/lib/thread-pool.js';
import { ForbiddenAddressError, isPublicAddress, lookupOf } from './public-address.js';
import { defineTool, ToolError, type Tool } from './tool.js';

interface FetchUrlOptions {
  /** Hosts that may be asked: `example.com`, `*.example.com` (its subdomains), `*`; with `:port` for another port. */
  allow: readonly string[];
  threads: ThreadPool;
  /** Which addresses may be reached; by default those of the public internet. */
  isAllowedAddress?: (address: string) => boolean;
}

const timeoutMs = 15_000;
const maxRedirects = 5;
const maxBytes = 1_000_000;

const textTypes = /^(text\/|application\/([\w.-]+\+)?(json|xml|javascript))/;
const htmlThread = new URL('./html-thread.js', import.meta.url);

const input = z.object({
  url: z.string().trim().max(2000).describe('Beginning with http:// or https://'),
});

/**
 * Fetches what is allowed, and nothing else: every hop of a redirect is checked by its host and by the address that it is
 * really reached at, text alone is read, and no more of it than a megabyte.
 */
export function createFetchUrl({
  allow,
  threads,
  isAllowedAddress = isPublicAddress,
}: FetchUrlOptions): Tool {
  const dispatcher = new Agent({
    connect: { lookup: lookupOf(isAllowedAddress), timeout: 5000 },
    keepAliveTimeout: 1000,
  });
  const check = (url: URL) => {
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new ToolError('Only http:// and https:// addresses can be fetched.');
    if (url.username || url.password) throw new ToolError('Addresses with a password are not fetched.');
    if (!allow.some((pattern) => matches(pattern, url))) throw new ToolError(`${url.host} is not allowed.`);
    // For an address instead of a name nothing is looked up.
    const address = url.hostname.replace(/^\[|\]$/g, '');
    if (isAddress(address) && !isAllowedAddress(address))
      throw new ToolError(new ForbiddenAddressError(address).message);
  };

  return defineTool({
    name: 'fetch_url',
    input,
    timeoutMs,
    run: async ({ url: given }, signal) => {
      let url = parseUrl(given);
      for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
        check(url);
        const answer = await ask(url, dispatcher, signal);
        const location = answer.headers.get('location');
        if (answer.status < 300 || answer.status >= 400 || location === null)
          return await textOf(url, answer, (html) => readable(html, threads, signal));
        await answer.body?.cancel();
        url = parseUrl(location, url);
      }
      throw new ToolError(`It redirects more than ${maxRedirects} times.`);
    },
  });
}

function parseUrl(given: string, base?: URL): URL {
  if (!URL.canParse(given, base)) throw new ToolError(`"${given.slice(0, 200)}" is no address.`);
  return new URL(given, base);
}

const isAddress = (hostname: string) => z.union([z.ipv4(), z.ipv6()]).safeParse(hostname).success;

function matches(pattern: string, { hostname, port }: URL): boolean {
  const [host = '', allowedPort = ''] = pattern.toLowerCase().split(':');
  if (port !== allowedPort) return false;
  if (host === '*') return true;
  return host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host;
}

async function ask(url: URL, dispatcher: Dispatcher, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, {
      dispatcher,
      signal,
      redirect: 'manual',
      headers: { 'user-agent': 'Tokencast', accept: 'text/*, application/json, application/xml;q=0.9' },
    });
  } catch (error) {
    signal.throwIfAborted();
    const cause = rootCause(error);
    if (cause instanceof ForbiddenAddressError) throw new ToolError(cause.message);
    throw new ToolError(`${url.host} cannot be reached.`);
  }
}

async function textOf(
  url: URL,
  answer: Response,
  ofHtml: (html: string) => Promise<string>,
): Promise<string> {
  const type = answer.headers.get('content-type')?.toLowerCase() ?? 'of an unknown type';
  const problem = !answer.ok
    ? `${url.host} answered ${answer.status}.`
    : textTypes.test(type)
      ? undefined
      : `It is no text, but ${type.slice(0, 100)}.`;
  if (problem) {
    await answer.body?.cancel();
    throw new ToolError(problem);
  }
  const { bytes, isCut } = await read(answer);
  const text = decoderOf(/charset="?([\w-]+)/.exec(type)?.[1]).decode(bytes);
  const said = type.startsWith('text/html') ? await ofHtml(text) : text;
  return isCut ? `${said}\n\n(cut off after ${maxBytes} bytes)` : said;
}

async function readable(html: string, threads: ThreadPool, signal: AbortSignal): Promise<string> {
  try {
    return await threads.run<string>({ file: htmlThread, data: html, timeoutMs: 3000, signal });
  } catch (error) {
    if (error instanceof ThreadLimitError) throw new ToolError('The page is too complicated to be read.');
    throw error;
  }
}

async function read({ body }: Response): Promise<{ bytes: Buffer; isCut: boolean }> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
    parts.push(part);
    length += part.length;
    if (length > maxBytes) break; // leaving the loop closes the connection
  }
  return { bytes: Buffer.concat(parts).subarray(0, maxBytes), isCut: length > maxBytes };
}

function decoderOf(charset = 'utf-8'): TextDecoder {
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}
