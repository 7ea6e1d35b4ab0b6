import { useEffect, useState } from 'react';

interface Closable {
  close(): void;
}

/**
 * What is open for as long as the component stands; null until then.
 *
 * @param open makes it; a new function makes a new one and closes the old. Null: there is nothing to open
 */
export function useOpened<T extends Closable>(open: (() => T) | null): T | null {
  const [opened, setOpened] = useState<T | null>(null);
  useEffect(() => {
    const made = open?.() ?? null;
    setOpened(made);
    return () => {
      made?.close();
    };
  }, [open]);
  return opened;
}
