import pLimit from 'p-limit';
import { setMaxListeners } from 'node:events';
import { userInfo } from 'node:os';
import { TokencastError, type Document } from '../../client/index.js';
import { interruptedCode } from '../exit-codes.js';
import { messageOf } from '../message-of.js';
import { signInAs } from '../sign-in.js';
import { analyseFile, type AnalyseContext } from './analyse-file.js';
import { findFiles, type FoundFile } from './find-files.js';
import { Ledger } from './ledger.js';
import { ProgressDisplay } from './progress-display.js';

interface AnalyseOptions {
  out: string;
  model?: string;
  atOnce: number;
  url: string;
  token?: string;
}

type Outcome = 'completed' | 'skipped' | 'stopped' | 'failed';

/** `tokencast analyse`. Resolves with the exit code: 0, 1 where a file failed, 130 after Ctrl-C. */
export async function analyse(paths: readonly string[], options: AnalyseOptions): Promise<number> {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // one for each file
  let display: ProgressDisplay | undefined;
  const onInterrupt = () => {
    if (stopping.signal.aborted) {
      display?.close();
      process.exit(interruptedCode);
    }
    display?.say('Stopping what runs; Ctrl-C once more leaves it running.');
    stopping.abort(new Error('interrupted'));
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  try {
    const files = await findFiles(paths, options.out);
    const context = await open(options, stopping.signal);
    const shown = (display = new ProgressDisplay(files.length, process.stderr));
    const limit = pLimit(options.atOnce);
    const outcomes = await Promise.all(
      files.map((file) =>
        limit(() => (stopping.signal.aborted ? 'stopped' : outcomeOf(context, file, shown))),
      ),
    );
    shown.close();
    return conclude(outcomes, options, shown);
  } catch (error) {
    if (!stopping.signal.aborted) console.error(messageOf(error));
    return stopping.signal.aborted ? interruptedCode : 1;
  } finally {
    display?.close();
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
  }
}

/** Signs in, as the guest of an earlier run where there was one. @throws TokencastError */
async function open(
  { out, model, url, token }: AnalyseOptions,
  signal: AbortSignal,
): Promise<AnalyseContext> {
  const ledger = await Ledger.open(out, url);
  const signedIn = await signInAs({
    url,
    token,
    kept: ledger.token,
    name: userInfo().username,
    keep: (made) => ledger.keepToken(made),
    signal,
  });
  return { http: signedIn.http, url, token: signedIn.token, model, out, ledger, signal };
}

async function outcomeOf(
  context: AnalyseContext,
  file: FoundFile,
  display: ProgressDisplay,
): Promise<Outcome> {
  const progress = display.begin(file.name);
  const end = (outcome: Outcome, words: string): Outcome => {
    progress.end(words);
    return outcome;
  };
  try {
    const document = await analyseFile(context, file, progress);
    switch (document.status) {
      case 'completed':
        return end('completed', completedWords(document));
      case 'failed':
        return end('failed', `failed: ${document.error?.message ?? 'something went wrong'}`);
      case 'queued':
      case 'running':
      case 'cancelled':
        return end('stopped', 'stopped');
    }
  } catch (error) {
    if (context.signal.aborted) return end('stopped', 'stopped');
    const message = messageOf(error);
    return error instanceof TokencastError && error.code === 'unsupported_media_type'
      ? end('skipped', `skipped: ${message}`)
      : end('failed', `failed: ${message}`);
  }
}

function completedWords({ sections, costUsd }: Document): string {
  const failed = sections.filter(({ status }) => status === 'failed').length;
  const without = failed > 0 ? `, ${failed} of them could not be analysed` : '';
  return `done, ${sections.length} ${sections.length === 1 ? 'section' : 'sections'}${without}, $${costUsd.toFixed(4)}`;
}

function conclude(outcomes: readonly Outcome[], { out }: AnalyseOptions, display: ProgressDisplay): number {
  const count = (outcome: Outcome) => outcomes.filter((each) => each === outcome).length;
  const parts = (['completed', 'skipped', 'stopped', 'failed'] as const)
    .filter((outcome) => count(outcome) > 0)
    .map((outcome) => `${count(outcome)} ${outcome}`);
  display.say(`${parts.join(', ') || 'no files'}. Results are in ${out}.`);
  if (count('stopped') > 0) {
    display.say('Run the same command again to go on.');
    return interruptedCode;
  }
  return count('failed') > 0 ? 1 : 0;
}
