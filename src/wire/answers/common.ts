import { z } from 'zod';
import { errorCodes, type ErrorCode, type FieldError } from '../../domain/errors.js';

/** What the schemas of all answers are made of. */

/** Ids of ours; users' may be any string. */
export const id = z.uuid();

/** ISO 8601, UTC. */
export const time = z.iso.datetime();

/** A page of a list. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item),
    nextBefore: id.nullable().describe('The next page is `?before=` this; null: there is none.'),
  });

const fieldError = z.object({
  path: z.string().describe('Where it is: `messages.0.content`.'),
  message: z.string(),
}) satisfies z.ZodType<FieldError>;

export const errorCode = z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]);

/** RFC 9457. */
export const problem = z.object({
  type: z.string().describe('`urn:tokencast:error:<code>`'),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('In words for people.'),
  code: errorCode,
  errors: z.array(fieldError).optional().describe('Every fault of every field.'),
});
