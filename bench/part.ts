/** The stores of a run: the embedded ones, of this run alone. */
export interface Stores {
  redisUrl: string;
  postgresUrl: string;
}

export interface PartOptions {
  stores: Stores;
  /** How often every figure is taken; systems that are compared take turns within a round. */
  rounds: number;
  /** How long one measurement lasts. */
  seconds: number;
}

/** One comparison: what `npm run bench -- <name>` measures, and a section of `bench/results.md`. */
export interface Part {
  name: string;
  /** The section's heading. */
  title: string;
  /** Resolves with the section's body: Markdown, without headings above `###`. */
  measure: (options: PartOptions) => Promise<string>;
}
