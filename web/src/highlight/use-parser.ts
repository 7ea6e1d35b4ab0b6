import type { Parser } from '@lezer/common';
import { useEffect, useState } from 'react';
import { loadParser } from './languages.js';

/** The parser of a fence's language once it is there; null: the code stays plain until then, or for good. */
export function useParser(fence: string | undefined): Parser | null {
  const [loaded, setLoaded] = useState<{ fence: string | undefined; parser: Parser } | null>(null);
  useEffect(() => {
    let isCurrent = true;
    loadParser(fence)?.then(
      (parser) => {
        if (isCurrent) setLoaded({ fence, parser });
      },
      // Colours are a comfort: without them the code is as readable.
      () => undefined,
    );
    return () => {
      isCurrent = false;
    };
  }, [fence]);
  return loaded && loaded.fence === fence ? loaded.parser : null;
}
