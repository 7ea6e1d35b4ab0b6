/** One of the limits that a provider sets to what may be asked of it, as it told with its last answer. */
export interface RateLimit {
  of: 'requests' | 'tokens';
  /** How many there are in all; null: it does not say. */
  limit: number | null;
  /** How many are left. */
  remaining: number;
  /** How long until there are as many as in all, in ms; 0: there are. */
  resetMs: number;
}
