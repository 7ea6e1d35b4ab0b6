/** A place in a room log: `<a>-<b>`, the id of a Redis Stream entry. Clients compare for equality only. */
export type Cursor = string;

/** The cursor that never resumes. */
export const noCursor: Cursor = '0-0';

const pattern = /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,19})$/;

/** Both parts of an id have 64 bits. */
const maxPart = 2n ** 64n - 1n;

export const isCursor = (value: unknown): value is Cursor =>
  typeof value === 'string' &&
  pattern.test(value) &&
  value.split('-').every((part) => part.length < 20 || BigInt(part) <= maxPart);

/**
 * Whether `a` is at or before `b`. Holds only within one life of a log: after a wipe ids may begin lower
 * (then an `origin` entry tells, see `redis/room-log.ts`).
 */
export function isAtOrBefore(a: Cursor, b: Cursor): boolean {
  const [aMs = '', aSeq = ''] = a.split('-');
  const [bMs = '', bSeq = ''] = b.split('-');
  return (compareDecimals(aMs, bMs) || compareDecimals(aSeq, bSeq)) <= 0;
}

/** Compares unsigned decimals of any length without leading zeros. */
function compareDecimals(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
