import type { ProviderName } from '../domain/models.js';
import type { RateLimit } from '../domain/rate-limit.js';

/** What a provider's headers tell of one limit, as they stand. */
interface Told {
  of: RateLimit['of'];
  limit: string | null;
  remaining: string | null;
  /** In ms; null: not told, or not so that it can be understood. */
  resetMs: number | null;
}

/** A clock that is further from ours than this is taken to be wrong, or ours is. */
const clockToleranceMs = 2000;
const minuteMs = 60_000;
/** RFC 3339: `Date.parse` alone takes much else for a time. */
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

/**
 * The limits that the headers of a provider's answer tell of. One that makes no sense is left out, and so is one of which
 * there is nothing at all (`limit` 0), since it comes back never.
 */
export function rateLimitsOf(provider: ProviderName, headers: Headers, nowMs = Date.now()): RateLimit[] {
  return toldBy(provider, headers, nowMs).flatMap(({ of, limit, remaining, resetMs }) => {
    const left = count(remaining);
    const all = count(limit);
    if (left === null || resetMs === null || all === 0) return [];
    return [{ of, limit: all, remaining: left, resetMs: Math.max(0, resetMs) }];
  });
}

function toldBy(provider: ProviderName, headers: Headers, nowMs: number): Told[] {
  switch (provider) {
    case 'anthropic':
    case 'demo':
      return anthropicLimits(headers, providersNow(headers, nowMs));
    case 'openai':
      return openaiLimits(headers);
    case 'mistral':
      return mistralLimits(headers);
  }
}

/** `anthropic-ratelimit-<kind>-…`, the reset as a time (RFC 3339): https://docs.anthropic.com/en/api/rate-limits */
function anthropicLimits(headers: Headers, nowMs: number): Told[] {
  return ['requests', 'tokens', 'input-tokens', 'output-tokens'].map((kind) => {
    const told = (what: string) => headers.get(`anthropic-ratelimit-${kind}-${what}`);
    const reset = told('reset') ?? '';
    const atMs = timestamp.test(reset) ? Date.parse(reset) : NaN;
    return {
      of: kind === 'requests' ? 'requests' : 'tokens',
      limit: told('limit'),
      remaining: told('remaining'),
      resetMs: Number.isNaN(atMs) ? null : atMs - nowMs,
    };
  });
}

/** `x-ratelimit-…-<kind>`, the reset as a duration: https://platform.openai.com/docs/guides/rate-limits */
function openaiLimits(headers: Headers): Told[] {
  return (['requests', 'tokens'] as const).map((of) => ({
    of,
    limit: headers.get(`x-ratelimit-limit-${of}`),
    remaining: headers.get(`x-ratelimit-remaining-${of}`),
    resetMs: durationMs(headers.get(`x-ratelimit-reset-${of}`)),
  }));
}

/**
 * `x-ratelimit-…-<kind>-minute`, which tells no reset: a whole minute at most. Before 2025: `ratelimitbysize-…`, of
 * tokens, with the reset in seconds. What a month has left is none of a queue's business.
 */
function mistralLimits(headers: Headers): Told[] {
  const kinds = [
    ['requests', 'req-minute'],
    ['tokens', 'tokens-minute'],
  ] as const;
  return [
    ...kinds.map(([of, kind]) => ({
      of,
      limit: headers.get(`x-ratelimit-limit-${kind}`),
      remaining: headers.get(`x-ratelimit-remaining-${kind}`),
      resetMs: headers.has(`x-ratelimit-reset-${kind}`)
        ? durationMs(headers.get(`x-ratelimit-reset-${kind}`))
        : minuteMs,
    })),
    {
      of: 'tokens',
      limit: headers.get('ratelimitbysize-limit'),
      remaining: headers.get('ratelimitbysize-remaining'),
      resetMs: durationMs(headers.get('ratelimitbysize-reset')),
    },
  ];
}

const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration such as `1h2m3s`, `6m0s`, `20ms` or `0.5s`; a bare number is one of seconds. Null: it is none. */
function durationMs(text: string | null): number | null {
  const value = text?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(value)) return null;
  return [...value.matchAll(/([\d.]+)(ms|s|m|h|d)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * unitsMs[unit as keyof typeof unitsMs],
    0,
  );
}

const count = (text: string | null): number | null =>
  text !== null && /^\d{1,15}$/.test(text.trim()) ? Number(text) : null;

/** The time at the provider, where its clock and ours are apart: its resets are times on its own. */
function providersNow(headers: Headers, nowMs: number): number {
  const dateMs = Date.parse(headers.get('date') ?? '');
  return Math.abs(dateMs - nowMs) > clockToleranceMs ? dateMs : nowMs;
}
