/** It has no types of its own. */
declare module 'marked-terminal' {
  import type { MarkedExtension } from 'marked';

  interface TerminalOptions {
    /** Columns. */
    width?: number;
    reflowText?: boolean;
    showSectionPrefix?: boolean;
    tab?: number;
  }
  export function markedTerminal(options?: TerminalOptions): MarkedExtension;
}
