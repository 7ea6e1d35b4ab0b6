import { text as textOf } from 'node:stream/consumers';
import { watchConversation, type Generation } from '../../client/index.js';
import { conversationOf } from '../conversation-of.js';
import { interruptedCode } from '../exit-codes.js';
import { figuresOf } from '../figures.js';
import { messageOf } from '../message-of.js';
import type { GuestOptions } from '../options.js';
import { patiently } from '../patiently.js';
import { signIn } from '../sign-in.js';
import { followAnswer } from './follow-answer.js';
import { Paper, type PaperOptions } from './paper.js';

export interface SendOptions extends GuestOptions, PaperOptions {
  room?: string;
  model?: string;
  progress?: boolean;
  quiet?: boolean;
}

/** `tokencast send`. Resolves with the exit code: 0, 1 where it failed, 130 after Ctrl-C, which cancels the answer. */
export async function send(words: readonly string[], options: SendOptions): Promise<number> {
  const stopping = new AbortController();
  const onInterrupt = () => {
    // A second time: without waiting for the end.
    if (stopping.signal.aborted) process.exit(interruptedCode);
    stopping.abort(new Error('interrupted'));
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  try {
    const prompt = await promptOf(words);
    const generation = await ask(prompt, options, stopping.signal);
    return conclude(generation, options);
  } catch (error) {
    if (stopping.signal.aborted) return interruptedCode;
    console.error(messageOf(error));
    return 1;
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
  }
}

/** The words of the command line; without any what comes in. @throws Error there is nothing */
async function promptOf(words: readonly string[]): Promise<string> {
  const isGiven = words.length > 0 && words.join(' ') !== '-';
  if (!isGiven && process.stdin.isTTY && words.length === 0)
    throw new Error('Say what to send: as words behind the command, or on standard input.');
  const prompt = isGiven ? words.join(' ') : await textOf(process.stdin);
  if (prompt.trim() === '') throw new Error('There is nothing to send.');
  return prompt;
}

async function ask(prompt: string, options: SendOptions, signal: AbortSignal): Promise<Generation> {
  const { room, model, quiet, progress } = options;
  const me = await signIn(options, signal);
  const { http, url, token } = me;
  const { id } = await conversationOf(me, room, { model });
  if (room === undefined && !quiet) console.error(`room conversation:${id}`);
  const watching = watchConversation(id, { url, getToken: () => token });
  try {
    const { generation } = await http.sendMessage(
      id,
      { content: prompt, ...(model !== undefined && { generate: { model } }) },
      { signal },
    );
    if (!generation) throw new Error('The server has not begun an answer.');
    const paper = new Paper(options, process.stdout, process.stderr);
    const stop = () => {
      // One that has ended meanwhile is none to stop.
      patiently(() => http.cancelGeneration(generation.id)).catch(() => undefined);
    };
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    try {
      await followAnswer(watching, http, generation.id, {
        onText: (text) => {
          paper.show(text);
        },
        onProgress: ({ estimatedPercent, metrics, stage }) => {
          if (progress)
            paper.progress(Math.round(estimatedPercent), `${stage ?? 'begun'}, ${metrics.words} words`);
        },
      });
    } finally {
      signal.removeEventListener('abort', stop);
      await paper.end();
    }
    return await patiently(() => http.getGeneration(generation.id));
  } finally {
    watching.close();
  }
}

function conclude(generation: Generation, { quiet }: SendOptions): number {
  if (!quiet) console.error(figuresOf(generation));
  switch (generation.status) {
    case 'completed':
      return 0;
    case 'cancelled':
      return interruptedCode;
    case 'failed':
    case 'waiting':
    case 'queued':
    case 'running':
      if (quiet) console.error(generation.error?.message ?? 'The answer has failed.');
      return 1;
  }
}
