import type { ProviderName } from '../domain/models.js';
import type { ResponseHead } from './provider.js';
import { rateLimitsOf } from './rate-limit-headers.js';

const requestIdHeaders = ['request-id', 'x-request-id', 'mistral-correlation-id'] as const;

/** What the head of a provider's answer tells. */
export function headOf(provider: ProviderName, headers: Headers): ResponseHead {
  const ids = requestIdHeaders.map((header) => headers.get(header));
  const limits = [...headers].filter(([header]) => header.includes('ratelimit') || header === 'retry-after');
  return {
    requestId: ids.find((id) => id !== null) ?? null,
    rateLimits: Object.fromEntries(limits),
    limits: rateLimitsOf(provider, headers),
  };
}
