import { Gauge, Hourglass, Info, RotateCw, Scissors, type LucideIcon } from 'lucide-react';
import type { LiveGeneration, Warning } from '../../../src/client/index.js';
import { Icon } from '../ui/icon.js';

/** Those of codes that are yet to come have a plain one. */
const icons: Partial<Record<string, LucideIcon>> = {
  fallback_blocking: Hourglass,
  history_cut: Scissors,
  near_budget: Gauge,
  near_token_limit: Gauge,
  rate_limited: Hourglass,
  retrying: RotateCw,
};

/** What an answer's readers should know of it, in a quiet line each. */
export function Warnings({ warnings }: { warnings: readonly Warning[] }) {
  return warnings.map(({ code, message }) => (
    <p key={code} className="warning-words" data-testid="warning" data-code={code}>
      <Icon of={icons[code] ?? Info} size={14} />
      {message}
    </p>
  ));
}

/** That a model is tried again, or has to wait, matters until it has said something. */
const isPassing = ({ code }: Warning) => code === 'retrying' || code === 'rate_limited';

/** Without what is over. */
export const standingWarnings = ({ warnings, pace }: LiveGeneration): readonly Warning[] =>
  warnings.filter((warning) => !isPassing(warning) || pace === null || warning.at > pace.lastAt);

/** What still matters of an answer that has ended. */
export const lastingWarnings = (warnings: readonly Warning[]): readonly Warning[] =>
  warnings.filter((warning) => !isPassing(warning));
