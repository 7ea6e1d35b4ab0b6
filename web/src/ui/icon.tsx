import type { LucideIcon } from 'lucide-react';

/** An icon of the set at the page's stroke. Decoration: what it means stands beside it or in the button's label. */
export function Icon({ of: Glyph, size = 16 }: { of: LucideIcon; size?: 14 | 16 }) {
  return <Glyph size={size} strokeWidth={1.6} aria-hidden />;
}
