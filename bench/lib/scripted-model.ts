/** A model that does what it is told: its chunks say when they were written, and it knows when its connection was closed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startUpstream, type UpstreamRequest } from '../../test/support/upstream.js';
import { chunkText, nowUs } from '../fan-out/work.js';
import { serve } from './serve.js';

const wordsAtOnce = 20;

const upstream = await startUpstream();
let request: UpstreamRequest | undefined;
let closedAtUs: Promise<number> | undefined;

const handlers = {
  url: () => upstream.url,
  /** Waits until it is asked. */
  asked: async () => {
    const asked = await upstream.nextRequest();
    request = asked;
    closedAtUs = asked.closed.then(nowUs);
  },
  /** Answers with so many chunks, evenly spaced, and ends. */
  answer: (chunks: number, everyMs: number) => (request ? answer(request, chunks, everyMs) : undefined),
  /** Says so many short words as fast as it is let, and goes on to say nothing. */
  recite: async (words: number) => {
    for (let n = 0; n < words; n += 1) {
      request?.text('word ');
      if (n % wordsAtOnce === 0) await sleep(1);
    }
  },
  /** Says something, and goes on to say nothing. */
  talk: () => {
    request?.text(chunkText(0));
  },
  /** Says nothing at all. */
  hang: () => {
    request?.hang();
  },
  /** When the client of the last request had closed its connection, by the clock of `nowUs`. */
  closedAtUs: () => closedAtUs,
};
export type Model = typeof handlers;

async function answer(asked: UpstreamRequest, chunks: number, everyMs: number): Promise<void> {
  const beganAtMs = performance.now();
  for (let n = 0; n < chunks; n += 1) {
    const waitMs = beganAtMs + n * everyMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    asked.text(chunkText(n));
  }
  asked.stop();
}

serve(handlers);
