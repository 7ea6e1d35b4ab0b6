/**
 * What this browser keeps for the page. A browser that refuses storage (private windows, full disks) costs the memory
 * of a reload, never the page.
 */
export const stored = {
  get(key: string): string | null {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  /** An empty value is removed. */
  set(key: string, value: string): void {
    try {
      if (value) localStorage.setItem(key, value);
      else localStorage.removeItem(key);
    } catch {
      // Nothing to do: the page goes on without it.
    }
  },
};
