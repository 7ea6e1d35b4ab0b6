import { setImmediate as nextTurn } from 'node:timers/promises';
import { hasContent } from '../src/domain/content.js';
import type { ProviderName } from '../src/domain/models.js';
import type { Attempt } from '../src/service/attempt.js';
import type { Answer } from './answer.js';
import { cacheKey } from './cache-key.js';
import type { CachedAnswer, CacheTurn } from './cache-turn.js';
import type { LogWriter } from './log-writer.js';
import { promptOf, warnOfCut } from './prompt.js';
import { replayOf } from './replay.js';
import type { Spending } from './spending.js';
import type { ToolLoop } from './tool-loop.js';

export interface CachedReplyOptions {
  attempt: Attempt;
  answer: Answer;
  /** Undefined: the model is asked, whatever was answered before. */
  cache: CacheTurn | undefined;
  /** Whether users get the answers that others have had. */
  cacheShared: boolean;
  provider: { name: ProviderName };
  writer: LogWriter;
  spending: Spending;
  tools: ToolLoop;
  defaultMaxTokens: number;
}

/** A replay waits at most so long for each piece to be in the log. */
const replayStepMs = 1000;

/** What the cache of answers does for a generation (docs/decisions/0006): it has its answer, or may keep it. */
export class CachedReply {
  #replayed = false;

  constructor(private readonly options: CachedReplyOptions) {}

  /** Whether the answer is the cache's: also one that an earlier attempt has replayed to its end. */
  get replayed(): boolean {
    const { state, calls } = this.options.answer;
    return this.#replayed || (state.ended && calls.length === 0);
  }

  /** What the cache may keep of an answer that has completed: nothing of an empty one, or one that got less than it asked for. */
  get cacheable(): CachedAnswer | undefined {
    const { attempt, answer, spending } = this.options;
    if (attempt.generation.askedMaxTokens !== null || spending.lowered) return undefined;
    const { content, stopReason, stopSequence } = answer.state;
    return hasContent(content) ? { content, stopReason, stopSequence } : undefined;
  }

  /**
   * The answer of the cache, if it has one: it is asked before the first call of the model.
   *
   * @param onWait it may take long, and the provider may never be asked
   */
  async find(onWait: () => void, signal: AbortSignal): Promise<CachedAnswer | undefined> {
    const { attempt, answer, provider, cache, cacheShared, defaultMaxTokens, tools, writer } = this.options;
    const { generation } = attempt;
    if (!cache) return undefined;
    const { askedMaxTokens, options, userId } = generation;
    const asked = askedMaxTokens === null ? options : { ...options, maxTokens: askedMaxTokens };
    const { request, cutTurns } = promptOf(
      { ...attempt, generation: { ...generation, options: asked } } as Attempt,
      { defaultMaxTokens, tools: tools.definitions, written: [] },
    );
    const key = cacheKey({ userId: cacheShared ? null : userId, provider: provider.name, request, options });
    if (answer.calls.length > 0) {
      await cache.resume(key);
      return undefined;
    }
    onWait();
    const known = await cache.take(key, signal);
    if (known) warnOfCut(cutTurns, writer);
    answer.maxTokens = request.maxTokens;
    return known;
  }

  /** Says what the cache has, as the model would, up to its last block's end. @throws the signal's reason */
  async replay(known: CachedAnswer, signal: AbortSignal): Promise<void> {
    const { attempt, answer, writer } = this.options;
    // A worker was lost while it did the same.
    if (answer.state.started) answer.rewind([], 'The answer starts over.');
    this.#replayed = true;
    let inStep = true;
    for (const part of replayOf(known, attempt.generation)) {
      // Piece by piece, as a model would; not where Redis is away.
      inStep &&= await writer.whenSent(replayStepMs);
      await nextTurn();
      await writer.whenRoom(signal);
      signal.throwIfAborted();
      answer.write(part);
      if (part.type === 'content_block_delta') answer.count(part.delta);
    }
  }
}
