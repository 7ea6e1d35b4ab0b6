/** A text that may go into the log now; `sentenceIndex`: the sentence that it is, or is a part of. */
export interface Piece {
  text: string;
  sentenceIndex?: number;
}

/** Decides how much of a text that is being written goes on its way. */
export interface TextCutter {
  /** What may go after this has come; the rest waits. */
  add(text: string): Piece[];
  /** The rest: nothing follows that belongs to it. */
  end(): Piece[];
  /** What waits has been sent before, by another attempt. */
  markSent(): void;
}
