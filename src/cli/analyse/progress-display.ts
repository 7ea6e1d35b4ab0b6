import cliProgress, { type MultiBar, type SingleBar } from 'cli-progress';
import type { DocumentHead } from '../../client/index.js';

/** How far a file is. */
export interface FileProgress {
  update(document: Pick<DocumentHead, 'status' | 'phase' | 'progress'>): void;
  /** It is over, as the words say. */
  end(outcome: string): void;
}

const format = '{bar} {percentage}% {name} {state}';

/** A bar for each file that is worked on, and one for all; where there is no terminal, a line for each that is over. */
export class ProgressDisplay {
  #bars: MultiBar | undefined;
  readonly #total: SingleBar | undefined;

  constructor(
    count: number,
    private readonly stream: NodeJS.WriteStream,
  ) {
    if (!stream.isTTY) return;
    this.#bars = new cliProgress.MultiBar(
      { format, stream, barsize: 24, hideCursor: true, clearOnComplete: false, gracefulExit: false },
      cliProgress.Presets.shades_classic,
    );
    this.#total = this.#bars.create(count, 0, { name: 'all files', state: '' });
  }

  begin(name: string): FileProgress {
    const bar = this.#bars?.create(100, 0, { name, state: 'uploading' });
    return {
      update: ({ status, phase, progress }) => {
        bar?.update(progress.percent, { state: stateOf(status, phase, progress) });
      },
      end: (outcome) => {
        if (bar) this.#bars?.remove(bar);
        this.say(`${name}: ${outcome}`);
        this.#total?.increment();
      },
    };
  }

  /** A line that stays. */
  say(line: string): void {
    if (this.#bars) this.#bars.log(`${line}\n`);
    else this.stream.write(`${line}\n`);
  }

  /** Leaves the bars as they are; what is said later stands below them. */
  close(): void {
    // It writes what was said since the last time.
    this.#bars?.update();
    this.#bars?.stop();
    this.#bars = undefined;
  }
}

function stateOf(
  status: DocumentHead['status'],
  phase: DocumentHead['phase'],
  { sectionsDone, sectionsTotal, remainingMs }: DocumentHead['progress'],
): string {
  const where = phase ?? (status === 'queued' ? 'waiting' : `${sectionsDone} of ${sectionsTotal} sections`);
  return remainingMs === null ? where : `${where}, about ${Math.ceil(remainingMs / 1000)} s left`;
}
