import { createHash } from 'node:crypto';
import type { GenerationOptions } from '../src/domain/generation.js';
import type { ProviderName } from '../src/domain/models.js';
import { canonicalJson } from '../src/lib/canonical-json.js';
import type { ProviderRequest } from '../src/providers/provider.js';

/** All that decides what is answered: two generations with the same get the same answer from the cache. */
export interface CacheKeyParts {
  /** Null: users share their answers. */
  userId: string | null;
  provider: ProviderName;
  /** As it would go to the model first, with the `maxTokens` that were asked for. */
  request: ProviderRequest;
  /** Of these counts what the request does not tell. */
  options: Pick<GenerationOptions, 'output' | 'stopAtPercent' | 'tools'>;
}

/** Raised with every change of what is stored or of how answers come to be: else old ones would be replayed. */
const version = 1;

/** The key of a request in the cache of answers (docs/decisions/0006-cache.md): a digest that tells nothing of it. */
export function cacheKey({ userId, provider, request, options }: CacheKeyParts): string {
  const { output, stopAtPercent, tools = [] } = options;
  const runHere = tools.filter((tool) => typeof tool === 'string');
  const parts = { version, userId, provider, request, output, stopAtPercent, runHere };
  return createHash('sha256').update(canonicalJson(parts)).digest('base64url');
}
