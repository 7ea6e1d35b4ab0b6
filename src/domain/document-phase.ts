/** What is made of all sections of a document together, in this order. */
export const documentPhases = ['summary', 'keyPoints', 'entities', 'recommendations'] as const;
export type DocumentPhase = (typeof documentPhases)[number];
