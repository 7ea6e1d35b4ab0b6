import { FileText } from 'lucide-react';
import { useEffect } from 'react';
import { Icon } from '../ui/icon.js';

/** In the place of a document while none is open. `none`: there is none at all. */
export function NothingOpen({ none }: { none: boolean }) {
  useEffect(() => {
    document.title = 'Documents · tokencast';
  }, []);
  return (
    <section className="document document-none" aria-label="No document">
      <Icon of={FileText} />
      {none ? (
        <p>
          Upload a document: it is read section by section while you watch, then summed up, with its key
          points, entities and recommendations.
        </p>
      ) : (
        <p>Choose a document to see what it says.</p>
      )}
    </section>
  );
}
