import type { ReactNode } from 'react';
import { BrandMark } from './brand-mark.js';

/** A page that says one thing, with what to do next below. */
export function Notice({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="notice">
      <BrandMark size={24} />
      <h1>{title}</h1>
      <div className="notice-words">{children}</div>
    </div>
  );
}
