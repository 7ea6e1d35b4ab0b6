/**
 * What was looked at, and how it stands. `hint`: it works, but somebody will be sorry some day; `broken`: something does
 * not work.
 */
export interface Finding {
  level: 'ok' | 'hint' | 'broken';
  what: string;
  /** What to do about it. */
  advice?: string;
}

export const ok = (what: string): Finding => ({ level: 'ok', what });
export const hint = (what: string, advice: string): Finding => ({ level: 'hint', what, advice });
export const broken = (what: string, advice: string): Finding => ({ level: 'broken', what, advice });
