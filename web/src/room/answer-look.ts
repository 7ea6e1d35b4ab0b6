import { createContext, type ComponentType } from 'react';
import type { LiveGeneration } from '../../../src/client/index.js';

/** How answers look in a log, where they do not stand in it whole. */
export interface AnswerLook {
  /** Beside the assistant's name, in the place of when and to whom. */
  Note: ComponentType<{ answerId: string }>;
  /** In the place of the figures of one that is being written. */
  Progress: ComponentType<{ generation: LiveGeneration }>;
  /** Above them. */
  Percent: ComponentType<{ generation: LiveGeneration }>;
}

/** Null: as a room shows them. Else their code stands elsewhere, and the log has what they say beside it. */
export const AnswerLookContext = createContext<AnswerLook | null>(null);
