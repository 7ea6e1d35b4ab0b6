import { setTimeout as sleep } from 'node:timers/promises';
import { documentPhases } from '../../src/domain/document-phase.js';
import { answerTo, stepOf } from '../support/document-model.js';
import type { Upstream, UpstreamRequest } from '../support/upstream.js';
import { calculation, sections, thinking, type DoneDocument } from './texts.js';

/** What the model does with a request. */
type Part = (request: UpstreamRequest) => unknown;

const usdPerInputToken = 3e-6;
/** What a call has read, so that its cost is one that is met with. */
const inputTokens = 1900;

/** The model of the pictures: it plays the part of the last cue that a request contains. */
export class Model {
  readonly #parts = new Map<string, Part>();

  constructor(private readonly upstream: Upstream) {
    void this.#play();
  }

  on(cue: string, part: Part): void {
    this.#parts.set(cue, part);
  }

  async #play(): Promise<void> {
    for (;;) {
      const request = await this.upstream.nextRequest();
      const said = JSON.stringify(request.body.messages);
      const found = [...this.#parts]
        .map(([cue, part]) => ({ part, at: said.lastIndexOf(cue) }))
        .sort((a, b) => b.at - a.at)[0];
      if (found && found.at >= 0) void found.part(request);
    }
  }
}

/** Writes a text as fast as a model does, and leaves the answer open. */
export async function write(request: UpstreamRequest, text: string, tokensPerSecond = 74): Promise<void> {
  request.start({ inputTokens });
  const pieces = piecesOf(text);
  await paced(pieces, (pieces.length * 1000) / tokensPerSecond, (piece) => request.text(piece));
}

const piecesOf = (text: string): string[] => text.match(/[\s\S]{1,4}/gu) ?? [];

/** Gives one piece after another, evenly over this time. */
async function paced(
  pieces: readonly string[],
  totalMs: number,
  give: (piece: string) => unknown,
): Promise<void> {
  const startedAt = performance.now();
  for (const [n, piece] of pieces.entries()) {
    const waitMs = startedAt + (n * totalMs) / pieces.length - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    give(piece);
  }
}

/** Thinks, calculates, and writes what is never finished. */
export const reckon =
  (text: string, { thinkingMs = 5900 } = {}): Part =>
  async (request) => {
    if (JSON.stringify(request.body.messages).includes('tool_result')) return write(request, text);
    await sleep(thinkingMs && 380);
    request.start({ inputTokens });
    await paced(piecesOf(thinking), thinkingMs, (piece) => request.thinking(piece));
    request
      .call('toolu_1', 'calculator', JSON.stringify({ expression: calculation }))
      .stop({ stopReason: 'tool_use' });
  };

/** Analyses the documents that are done with: each call costs its share of what the whole is to cost. */
export function analyst({ name, sections: count, costUsd, fails }: DoneDocument): [string, Part] {
  const tokens = Math.round(costUsd / (count + documentPhases.length) / usdPerInputToken);
  return [
    `<document-name>\\n${name}\\n`,
    (request) => {
      if (fails !== undefined && stepOf(request.body) === fails)
        request.text('No').stop({ stopReason: 'refusal' });
      else request.start({ inputTokens: tokens }).text(answerTo(request.body)).stop();
    },
  ];
}

/** Reads the document of the picture: some sections are done, one fails, the rest is being written or waits. */
export const reader: Part = async (request) => {
  const step = stepOf(request.body);
  const { text = '', title = '' } = typeof step === 'number' ? (sections[step] ?? {}) : {};
  if (title === 'Sediment and dredging') {
    // Other failures are tried again, and what is being read leaves no room for that.
    request.stop({ stopReason: 'refusal' });
    return;
  }
  await write(request, text, Math.max(20, text.length / 4 / 1.6));
  if (text.endsWith('.')) request.stop();
};
