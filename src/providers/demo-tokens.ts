const tokenCharacters = 4;

/** Cuts a text into tokens of four characters (UTF-16 units; one more where a surrogate pair would be cut). */
export function* demoTokens(text: string): Iterable<string> {
  for (let start = 0; start < text.length;) {
    let end = start + tokenCharacters;
    if (isHighSurrogate(text.charCodeAt(end - 1)) && end < text.length) end += 1;
    yield text.slice(start, end);
    start = end;
  }
}

/** About how many tokens a text of this length is. */
export function demoTokenCount(characters: number): number {
  return Math.ceil(characters / tokenCharacters);
}

/** FNV-1a over UTF-16 units (http://www.isthe.com/chongo/tech/comp/fnv/): 32 bits, unsigned. */
export function demoHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
