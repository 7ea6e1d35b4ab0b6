const tints = 5;

/** The same person has the same colour everywhere: a hash of the id picks it. */
export function tintOf(userId: string): number {
  let hash = 0;
  for (const character of userId) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash % tints;
}
