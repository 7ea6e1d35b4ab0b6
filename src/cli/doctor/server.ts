import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { TokencastError, TokencastHttp } from '../../client/index.js';
import { checkEventStream } from './event-stream.js';
import { ownVersion } from '../../lib/own-version.js';
import { broken, hint, ok, type Finding } from './finding.js';
import { reasonOf } from './reason-of.js';

const timeoutMs = 5000;

/** Above what proxies let in by default (nginx: 1 MiB), below the server's own limit. */
const uploadBytes = 2 * 1024 * 1024;

interface ServerUnderTest {
  url: string;
  /** Else a guest's. */
  token: string | undefined;
}

/** Looks at a server from outside, as its clients see it: through all that is in front of it. */
export async function checkServer({ url, token }: ServerUnderTest): Promise<Finding[]> {
  const answers = await checkAnswers(url);
  if (answers.some(({ level }) => level === 'broken')) return answers;
  const found = [...answers, ...(await checkVersion(url)), await checkUpgrade(url)];
  const own = token ?? (await guestToken(url));
  if (typeof own !== 'string') return [...found, own];
  return [...found, await checkUpload(url, own), ...(await checkEventStream({ url, token: own }))];
}

async function checkAnswers(url: string): Promise<Finding[]> {
  const from = performance.now();
  let response: Response;
  try {
    response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    return [
      broken(
        `${url} does not answer: ${reasonOf(error)}`,
        'Check the address, that the api runs, and that the proxy reaches it (HOST=0.0.0.0 where it is on another machine).',
      ),
    ];
  }
  const took = `in ${(performance.now() - from).toFixed(0)} ms`;
  const problem = await problemOf(response);
  if (response.ok) return [ok(`${url} answers ${took}`)];
  if (response.status === 503 && problem?.detail !== undefined)
    return [
      broken(`The server is not ready: ${problem.detail}`, 'It goes on by itself when its stores are back.'),
    ];
  return [
    broken(
      `${url}/readyz answers ${response.status}, which is not from Tokencast`,
      'The proxy reaches no api, or sends this path elsewhere: look at its log.',
    ),
  ];
}

interface Problem {
  code?: string;
  detail?: string;
}

/** What the server says of an error; undefined: it was not the server that said it. */
async function problemOf(response: Response): Promise<Problem | undefined> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json');
  const text = await response.text();
  return isProblem ? (JSON.parse(text) as Problem) : undefined;
}

/** The version is in the description of the API, where the server has one. */
async function checkVersion(url: string): Promise<Finding[]> {
  const ours = await ownVersion();
  try {
    const response = await fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(timeoutMs) });
    const { info } = (await response.json()) as { info?: { version?: string } };
    if (info?.version === undefined) return [];
    return [
      info.version === ours
        ? ok(`Tokencast ${ours} on both sides`)
        : hint(
            `The server is Tokencast ${info.version}, this program ${ours}`,
            'Take the same version here.',
          ),
    ];
  } catch {
    return [];
  }
}

/** Whether a WebSocket can be opened. */
async function checkUpgrade(url: string): Promise<Finding> {
  const answer = await upgrade(`${url}/socket.io/?EIO=4&transport=websocket`);
  if (answer === 101) return ok('WebSocket upgrades pass');
  return broken(
    `WebSocket upgrades do not pass: ${typeof answer === 'number' ? `the answer is ${answer}` : answer}`,
    'Clients poll instead, which is slow. Let the proxy pass the headers Upgrade and Connection on /socket.io/: ops/.',
  );
}

/** The status of the answer, or why there is none. */
function upgrade(url: string): Promise<number | string> {
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const request = send(url, {
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dG9rZW5jYXN0IGRvY3Rvcg==',
      },
      signal: AbortSignal.timeout(timeoutMs),
    });
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    request.on('response', (response) => {
      response.destroy();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', (error) => {
      resolve(reasonOf(error));
    });
    request.end();
  });
}

async function guestToken(url: string): Promise<string | Finding> {
  try {
    return (await new TokencastHttp({ baseUrl: url }).createSession('doctor')).token;
  } catch (error) {
    if (error instanceof TokencastError && error.code === 'not_found')
      return hint('The server takes no guests, so streams were not looked at', 'Give --token, of any user.');
    return broken(`No session can be had: ${reasonOf(error)}`, 'Give --token, of any user.');
  }
}

/** Whether an upload comes through to the server. It is no document: the server refuses it when it has read it. */
async function checkUpload(url: string, token: string): Promise<Finding> {
  const body = new FormData();
  body.set('file', new Blob([new Uint8Array(uploadBytes)]), 'doctor.bin');
  const size = `${uploadBytes / 1024 / 1024} MiB`;
  const advice =
    'Let the proxy take bodies of MAX_UPLOAD_BYTES and a little more (nginx: client_max_body_size 64m).';
  try {
    const response = await fetch(`${url}/v1/documents`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body,
      signal: AbortSignal.timeout(30_000),
    });
    const problem = await problemOf(response);
    if (problem?.code === 'payload_too_large')
      return hint(
        `The server takes no uploads of ${size}`,
        'MAX_UPLOAD_BYTES is that small: raise it if you want.',
      );
    if (problem) return ok(`Uploads of ${size} pass`);
    return broken(
      `Uploads of ${size} do not pass: the answer is ${response.status}, not from Tokencast`,
      advice,
    );
  } catch (error) {
    return broken(`Uploads of ${size} do not pass: ${reasonOf(error)}`, advice);
  }
}
