import type { z } from 'zod';
import { AppError, type FieldError } from '../domain/errors.js';

/** Reads what a client sent. @throws AppError invalid_request, with every fault of every field */
export function parse<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = toFieldErrors(result.error.issues);
  const detail = faults.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ');
  throw new AppError('invalid_request', detail.slice(0, 500), { errors: faults.slice(0, 50) });
}

function toFieldErrors(
  issues: readonly z.core.$ZodIssue[],
  prefix: readonly PropertyKey[] = [],
): FieldError[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    if (issue.code === 'invalid_union') {
      // Of several forms, the one that the client meant: its type was right, something in it was not.
      const meant = issue.errors.find((form) => form.length > 0 && !form.some(isWrongForm));
      if (meant) return toFieldErrors(meant, path);
    }
    return [{ path: path.map(String).join('.'), message: issue.message.slice(0, 200) }];
  });
}

const isWrongForm = ({ path, code }: z.core.$ZodIssue) =>
  path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
