import { textOf, type GenerationHead, type LiveGeneration } from '../../../src/client/index.js';

/** What the status line tells of an answer; null: not known. */
export interface Figures {
  firstTokenMs: number | null;
  tokensPerSecond: number | null;
  tokens: number | null;
  /** Whether tokens are an estimate from the characters. */
  estimated: boolean;
  /** US dollars. */
  costUsd: number | null;
  model: string;
  /** It was answered before, and no model was asked now. */
  cached: boolean;
}

/** What a token is on average, in characters of English. Only until the model has counted. */
const charactersPerToken = 4;
/** A rate over less than this says more about the network than about the model. */
const minRateMs = 250;

export function endedFigures({ metrics, usage, costUsd, model, cached }: GenerationHead): Figures {
  const { firstTokenMs, tokensPerSecond } = metrics;
  return {
    firstTokenMs,
    tokensPerSecond,
    tokens: cached ? null : (usage?.outputTokens ?? null),
    estimated: false,
    costUsd,
    model,
    cached,
  };
}

/** While it is written: what its worker has told, else what was seen here. */
export function liveFigures(live: LiveGeneration): Figures {
  const { cached, content, costUsd, metrics, model, pace, progress, startedAt } = live;
  const characters = textOf(content).length;
  const writtenMs = pace ? Date.parse(pace.lastAt) - Date.parse(pace.firstAt) : 0;
  const seenFirstMs =
    pace?.fromStart && startedAt ? Math.max(0, Date.parse(pace.firstAt) - Date.parse(startedAt)) : null;
  const seenRate =
    pace && writtenMs >= minRateMs ? pace.characters / charactersPerToken / (writtenMs / 1000) : null;
  const told = progress?.metrics;
  const toldMs = (told?.durationMs ?? 0) - (told?.firstTokenMs ?? 0);
  return {
    firstTokenMs: told?.firstTokenMs ?? metrics.firstTokenMs ?? seenFirstMs,
    tokensPerSecond: (toldMs >= minRateMs ? told?.tokensPerSecond : null) ?? seenRate,
    tokens: characters ? Math.ceil(characters / charactersPerToken) : null,
    estimated: true,
    costUsd,
    model,
    cached,
  };
}
