import type { CitedText, DocumentResult, Entity } from './document.js';
import type { DocumentPhase } from './document-phase.js';

/** The JSON Schema that a phase's answer is held to; undefined: it is text. */
export function phaseSchema(phase: DocumentPhase): Record<string, unknown> | undefined {
  switch (phase) {
    case 'summary':
      return undefined;
    case 'keyPoints':
      return listSchema('keyPoints', { text: { type: 'string' } });
    case 'entities':
      return listSchema('entities', { name: { type: 'string' }, type: { type: 'string' } });
    case 'recommendations':
      return listSchema('recommendations', { text: { type: 'string' } });
  }
}

/** An object with one list, every item of which cites sections. All is required and closed, as strict modes want it. */
function listSchema(name: string, fields: Record<string, object>): Record<string, unknown> {
  const properties = { ...fields, sections: { type: 'array', items: { type: 'integer' } } };
  const item = {
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  };
  return {
    type: 'object',
    properties: { [name]: { type: 'array', items: item } },
    required: [name],
    additionalProperties: false,
  };
}

/** A phase's answer does not say what it has to. The message is fit for users. */
export class PhaseMismatch extends Error {
  override readonly name = 'PhaseMismatch';
}

/**
 * What a phase's answer says. Citations of sections that are not there are dropped, and items that then cite nothing.
 *
 * @param analysed indexes of the sections that may be cited
 * @throws PhaseMismatch: the answer is no such object, or nothing is left of it
 */
export function readPhase<P extends DocumentPhase>(
  phase: P,
  answer: string,
  analysed: ReadonlySet<number>,
): DocumentResult[P];
export function readPhase(
  phase: DocumentPhase,
  answer: string,
  analysed: ReadonlySet<number>,
): DocumentResult[DocumentPhase] {
  switch (phase) {
    case 'summary':
      if (answer.trim() === '') throw new PhaseMismatch('The summary is empty.');
      return answer.trim();
    case 'keyPoints':
    case 'recommendations': {
      const read = (item: Item): CitedText => ({
        text: textIn(item, 'text'),
        sections: citedIn(item, analysed),
      });
      return citing(phase, listIn(answer, phase), read);
    }
    case 'entities': {
      const read = (item: Item): Entity => ({
        name: textIn(item, 'name'),
        type: textIn(item, 'type'),
        sections: citedIn(item, analysed),
      });
      return citing(phase, listIn(answer, phase), read);
    }
  }
}

type Item = Record<string, unknown>;

const isItem = (value: unknown): value is Item =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function listIn(answer: string, name: string): Item[] {
  let value: unknown;
  try {
    value = JSON.parse(unfenced(answer));
  } catch {
    throw new PhaseMismatch('The answer is not JSON.');
  }
  const list = isItem(value) ? value[name] : undefined;
  if (!Array.isArray(list)) throw new PhaseMismatch(`The answer has no list "${name}".`);
  return list.map((item, i) => {
    if (!isItem(item)) throw new PhaseMismatch(`${name}.${i} is not an object.`);
    return item;
  });
}

/** Models without a strict mode like to put JSON into a block of code. */
const unfenced = (answer: string): string =>
  /^\s*```(?:json)?\s*\n([\s\S]*?)\n\s*```\s*$/.exec(answer)?.[1] ?? answer;

function textIn(item: Item, field: string): string {
  const value = item[field];
  if (typeof value !== 'string' || value.trim() === '') throw new PhaseMismatch(`A "${field}" is missing.`);
  return value.trim();
}

function citedIn({ sections }: Item, analysed: ReadonlySet<number>): number[] {
  if (!Array.isArray(sections)) throw new PhaseMismatch('A list of "sections" is missing.');
  const cited = sections.filter((index): index is number => analysed.has(index as number));
  return [...new Set(cited)].sort((a, b) => a - b);
}

function citing<T extends { sections: number[] }>(
  phase: DocumentPhase,
  items: readonly Item[],
  read: (item: Item) => T,
): T[] {
  const kept = items.map(read).filter(({ sections }) => sections.length > 0);
  // A document may name nobody and call for nothing, but it says something.
  if (kept.length === 0 && (items.length > 0 || phase === 'keyPoints'))
    throw new PhaseMismatch('Nothing in the answer cites a section of the document.');
  return kept;
}
