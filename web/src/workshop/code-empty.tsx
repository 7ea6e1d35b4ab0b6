import { Code } from 'lucide-react';
import { Icon } from '../ui/icon.js';

/** In the place of code, before there is any. */
export function CodeEmpty() {
  return (
    <section className="code-pane code-empty" aria-label="Code">
      <Icon of={Code} />
      <p>The code stands here as soon as its first line is written.</p>
    </section>
  );
}
