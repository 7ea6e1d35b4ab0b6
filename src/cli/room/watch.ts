import {
  hasDocumentEnded,
  TokencastError,
  watchConversation,
  watchDocument,
  type ConnectionState,
  type DocumentState,
} from '../../client/index.js';
import { interruptedCode } from '../exit-codes.js';
import { messageOf } from '../message-of.js';
import type { GuestOptions } from '../options.js';
import { parsePlace } from '../place.js';
import { Screen } from '../screen.js';
import { signIn, type SignedIn } from '../sign-in.js';
import { harmless } from '../terminal-text.js';
import { lookOn } from './look.js';
import { Transcript } from './transcript.js';

/**
 * `tokencast watch`. Shows what happens until Ctrl-C (130), until the document has ended (0; 1: it failed), or until the
 * room is gone (1). Resolves with the exit code.
 */
export async function watch(room: string, options: GuestOptions): Promise<number> {
  const stopping = new AbortController();
  const stop = () => {
    stopping.abort(new Error('interrupted'));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    const me = await signIn(options, stopping.signal);
    const { kind, id } = await roomOf(me, room);
    return await (kind === 'document' ? showDocument : showConversation)(me, id, stopping.signal);
  } catch (error) {
    if (stopping.signal.aborted) return interruptedCode;
    console.error(messageOf(error));
    return 1;
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

/** Which room is meant; one enters by a link of invitation. @throws Error, TokencastError */
async function roomOf(
  { http }: SignedIn,
  room: string,
): Promise<{ kind: 'conversation' | 'document'; id: string }> {
  const { kind, id } = parsePlace(room);
  switch (kind) {
    case 'conversation':
    case 'document':
      return { kind, id };
    case 'invite':
      return { kind: 'conversation', id: (await http.acceptInvite(id)).id };
    case 'generation': {
      const { conversationId, documentId } = await http.getGeneration(id);
      return conversationId === null
        ? { kind: 'document', id: documentId ?? '' }
        : { kind: 'conversation', id: conversationId };
    }
    case 'id':
      return http.getConversation(id).then(
        () => ({ kind: 'conversation', id }),
        async (error: unknown) => {
          if (!(error instanceof TokencastError) || error.code !== 'not_found') throw error;
          await http.getDocument(id);
          return { kind: 'document', id };
        },
      );
  }
}

interface Watching<S> {
  subscribe: (listener: () => void) => () => void;
  getSnapshot: () => { room: S | null; connection: ConnectionState };
  close: () => void;
}

/** Shows every state of a room, until `show` answers with an exit code. */
async function untilOver<S>(
  watching: Watching<S>,
  signal: AbortSignal,
  show: (room: S) => number | undefined,
): Promise<number> {
  try {
    return await new Promise<number>((resolve, reject) => {
      const look = () => {
        const { room, connection } = watching.getSnapshot();
        if (connection.state === 'closed')
          reject(connection.error ?? new TokencastError('unreachable', 'The connection was closed.'));
        const code = room && show(room);
        if (typeof code === 'number') resolve(code);
      };
      signal.addEventListener('abort', () => {
        reject(new Error('interrupted'));
      });
      watching.subscribe(look);
      look();
    });
  } finally {
    watching.close();
  }
}

function showConversation({ url, token, user }: SignedIn, id: string, signal: AbortSignal): Promise<number> {
  const { stdout } = process;
  const { markdown, style } = lookOn(stdout);
  const transcript = new Transcript(markdown, style, user.id);
  const screen = stdout.isTTY ? new Screen(stdout) : undefined;
  const watching = watchConversation(id, { url, getToken: () => token });
  return untilOver(watching, signal, (room) => {
    const { finished, changing } = transcript.update(room);
    if (screen) screen.draw(finished, changing);
    else if (finished !== '') stdout.write(finished);
    if (!room.deleted && !room.left.includes(user.id)) return undefined;
    console.error(room.deleted ? 'The room was deleted.' : 'You are no member of the room any more.');
    return 1;
  });
}

function showDocument({ url, token, http }: SignedIn, id: string, signal: AbortSignal): Promise<number> {
  const { stdout } = process;
  const screen = stdout.isTTY ? new Screen(stdout) : undefined;
  const told = new Set<string>();
  const watching = watchDocument(id, { url, getToken: () => token });
  const write = (text: string, changing = '') => {
    if (screen) screen.draw(text, changing);
    else if (text !== '') stdout.write(text);
  };
  return untilOver(watching, signal, (state) => {
    if (state.deleted) {
      console.error('The document was deleted.');
      return 1;
    }
    const news = newsOf(state).filter((line) => !told.has(line));
    for (const line of news) told.add(line);
    const { percent, remainingMs } = state.document.progress;
    const left = remainingMs === null ? '' : `, about ${Math.ceil(remainingMs / 1000)} s left`;
    const hasEnded = hasDocumentEnded(state.document.status);
    write(news.map((line) => `${harmless(line)}\n`).join(''), hasEnded ? '' : `${percent}%${left}`);
    if (!hasEnded) return undefined;
    return state.document.status === 'completed' ? 0 : 1;
  }).then(async (code) => {
    if (code !== 0) return code;
    const report = await http.getReport(id, { signal });
    stdout.write(`\n${lookOn(stdout).markdown.block(stdout.isTTY ? harmless(report) : report)}`);
    return 0;
  });
}

/** What has happened to a document, a line for each thing. */
function newsOf({ document }: DocumentState): string[] {
  const { name, status, phase, sections, error } = document;
  const total = sections.length;
  const done = sections
    .filter((section) => section.status !== 'pending' && section.status !== 'running')
    .map(
      ({ index, title, status: how, error: why }) =>
        `section ${index + 1} of ${total}, ${title}: ${how}${why ? `, ${why.message}` : ''}`,
    );
  return [
    `${name}: begun`,
    ...done,
    ...(phase !== null && status === 'running' && done.length === total ? [`writing: ${phase}`] : []),
    ...(hasDocumentEnded(status) ? [`${name}: ${status}${error ? `, ${error.message}` : ''}`] : []),
  ];
}
