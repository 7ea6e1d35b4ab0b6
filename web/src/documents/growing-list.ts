import { Allow, parse } from 'partial-json';
import type { CitedText, Entity } from '../../../src/client/index.js';

/** The key points or recommendations of an answer that is being written, as far as they can be read. */
export const growingTexts = (phase: 'keyPoints' | 'recommendations', written: string): CitedText[] =>
  itemsIn(phase, written).map((item) => ({ text: textOf(item.text), sections: sectionsOf(item) }));

/** The entities of one. */
export const growingEntities = (written: string): Entity[] =>
  itemsIn('entities', written).map((item) => ({
    name: textOf(item.name),
    type: textOf(item.type),
    sections: sectionsOf(item),
  }));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const isIndex = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0;

const sectionsOf = ({ sections }: Record<string, unknown>): number[] =>
  Array.isArray(sections) ? sections.filter(isIndex) : [];

/** Models without a strict mode like to put JSON into a block of code. A number may still grow: it is left out. */
function itemsIn(name: string, written: string): Record<string, unknown>[] {
  const json = written.replace(/^\s*```(?:json)?\s*/, '').replace(/\s*`{1,3}\s*$/, '');
  if (json.trim() === '') return [];
  try {
    const value: unknown = parse(json, Allow.STR | Allow.OBJ | Allow.ARR);
    const list = isRecord(value) ? value[name] : null;
    return Array.isArray(list) ? list.filter(isRecord) : [];
  } catch {
    return [];
  }
}
