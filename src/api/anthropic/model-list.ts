import { z } from 'zod';
import { noSuch } from '../../domain/errors.js';
import type { Model } from '../../domain/models.js';

/** Pages of `GET /v1/models` as Anthropic has them. */
export const modelQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(20),
  after_id: z.string().max(200).optional(),
  before_id: z.string().max(200).optional(),
});

/** Its release date is not known: https://docs.anthropic.com/en/api/models */
const unknownDate = '1970-01-01T00:00:00Z';

export const modelOf = ({ id, contextTokens, maxOutputTokens }: Model) => ({
  type: 'model',
  id,
  display_name: id,
  created_at: unknownDate,
  max_input_tokens: contextTokens,
  max_tokens: maxOutputTokens,
});

/** @throws AppError not_found: there is no model of that id to go on from */
export function modelPage(
  models: readonly Model[],
  { limit, after_id, before_id }: z.infer<typeof modelQuery>,
) {
  const from = after_id === undefined ? 0 : placeOf(models, after_id) + 1;
  const to = before_id === undefined ? models.length : placeOf(models, before_id);
  const between = models.slice(from, Math.max(from, to));
  // Backwards it is the models next to the one that is named.
  const page = before_id === undefined ? between.slice(0, limit) : between.slice(-limit);
  return {
    data: page.map(modelOf),
    has_more: page.length < between.length,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}

function placeOf(models: readonly Model[], id: string): number {
  const at = models.findIndex((model) => model.id === id);
  if (at < 0) throw noSuch('model');
  return at;
}
