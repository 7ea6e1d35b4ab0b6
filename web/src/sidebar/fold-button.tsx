import { PanelLeft } from 'lucide-react';
import { Icon } from '../ui/icon.js';
import { folded } from './sidebar-fold.js';

/** Folds the sidebar to a rail, or unfolds it. */
export function FoldButton({ fold, className }: { fold: boolean; className: string }) {
  const name = fold ? 'Fold the sidebar' : 'Unfold the sidebar';
  return (
    <button
      type="button"
      className={className}
      aria-label={name}
      title={name}
      onClick={() => {
        folded.set(fold);
      }}
    >
      <Icon of={PanelLeft} />
    </button>
  );
}
