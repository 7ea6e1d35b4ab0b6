/** Estimates of token counts, where no provider has counted yet. */

/** About how many UTF-8 bytes a token has, on the careful side. */
const bytesPerToken = 3;

/** About how many characters a token of written text has. */
const charactersPerToken = 4;

const encoder = new TextEncoder();

/** How many tokens a text of this many UTF-8 bytes is taken for before it is sent. */
export const tokensOfBytes = (bytes: number): number => Math.ceil(bytes / bytesPerToken);

/** The same of a text itself. */
export const tokensOf = (text: string): number => tokensOfBytes(encoder.encode(text).length);

/** How many tokens a text of this many UTF-16 code units is taken for while it is written. */
export const tokensOfCharacters = (characters: number): number => Math.ceil(characters / charactersPerToken);
