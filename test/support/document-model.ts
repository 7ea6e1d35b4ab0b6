import { documentPhases, type DocumentPhase } from '../../src/domain/document-phase.js';
import type { UpstreamBody, UpstreamRequest } from './upstream.js';

/** A run of a document: a section's by its index, or a phase's. */
export type Step = number | DocumentPhase;

/** Which run a request to the model belongs to; undefined: none of a document's. */
export function stepOf({ messages, ...rest }: UpstreamBody): Step | undefined {
  const asked = JSON.stringify(messages);
  if (!asked.includes('<document-name>')) return undefined;
  const section = /Analyse section (\d+)\./.exec(asked)?.[1];
  if (section !== undefined) return Number(section);
  const request = JSON.stringify(rest);
  return documentPhases.find((phase) => request.includes(`"${phase}":{`)) ?? 'summary';
}

/** Matches the requests of a run. */
export const isStep =
  (step: Step) =>
  ({ body }: UpstreamRequest): boolean =>
    stepOf(body) === step;

/** What the model says in a run: of a section a sentence, of a phase what cites the sections that it was given. */
export function answerTo(body: UpstreamBody): string {
  const step = stepOf(body) ?? 'summary';
  if (typeof step === 'number') return `What section ${step} says, in a sentence.`;
  const sections = [...JSON.stringify(body.messages).matchAll(/<section index=(\d+)/g)].map(([, n]) =>
    Number(n),
  );
  switch (step) {
    case 'summary':
      return `A summary of ${sections.length} sections.`;
    case 'keyPoints':
      return JSON.stringify({ keyPoints: [{ text: 'A key point.', sections }] });
    case 'entities':
      return JSON.stringify({ entities: [{ name: 'Ada', type: 'person', sections: sections.slice(0, 1) }] });
    case 'recommendations':
      return JSON.stringify({ recommendations: [{ text: 'Do it.', sections: sections.slice(-1) }] });
  }
}
