import { textOf, type ContentBlock } from '../domain/content.js';
import type { Document, DocumentHead, DocumentResult } from '../domain/document.js';
import { PhaseMismatch, readPhase } from '../domain/document-phases.js';
import type { Generation, GenerationHead } from '../domain/generation.js';
import { noCursor, type Cursor } from '../wire/cursor.js';
import type { DocumentSnapshot, RoomEventOf, RoomEventWith, TerminalEventType } from '../wire/room-events.js';
import { applyChunk } from './apply-chunk.js';

/** A run of a section or phase that has not ended, with what it has written so far. */
export interface LiveRun extends GenerationHead {
  readonly content: readonly ContentBlock[];
}

/** What a client knows of a document. Immutable; parts that an event leaves alone stay the same objects. */
export interface DocumentState {
  /** Texts are those of runs that have ended: see {@link sectionText}. */
  readonly document: Document;
  /** In the order of their beginning. */
  readonly runs: readonly LiveRun[];
  /** How long the last run of a section took, by its index, where its end was seen. */
  readonly tookMs: ReadonlyMap<number, number>;
  /** The last logged event that is in this state. */
  readonly cursor: Cursor;
  readonly deleted: boolean;
}

export function fromDocumentSnapshot(
  { document, generations }: DocumentSnapshot,
  cursor: Cursor = noCursor,
): DocumentState {
  return { document, runs: generations.map(toRun), tookMs: new Map(), cursor, deleted: false };
}

/** The newest run of a section that has not ended. */
export const sectionRun = ({ runs }: DocumentState, index: number): LiveRun | undefined =>
  runs.findLast(({ sectionIndex }) => sectionIndex === index);

/** What there is of a section's analysis, as it is being written. */
export function sectionText(state: DocumentState, index: number): string {
  const live = textOf([...(sectionRun(state, index)?.content ?? [])]);
  return live === '' ? (state.document.sections[index]?.text ?? '') : live;
}

/** The state after one more event of the room. Events of a type that is not known change nothing but the cursor. */
export function reduceDocument(state: DocumentState, event: RoomEventWith<DocumentSnapshot>): DocumentState {
  if (event.type === 'snapshot') return fromDocumentSnapshot(event.snapshot, event.cursor ?? state.cursor);
  const next = reduce(state, event);
  return event.cursor === undefined || event.cursor === next.cursor
    ? next
    : { ...next, cursor: event.cursor };
}

function reduce(
  state: DocumentState,
  event: Exclude<RoomEventWith<DocumentSnapshot>, { type: 'snapshot' }>,
): DocumentState {
  switch (event.type) {
    case 'generation.queued':
    case 'generation.started': {
      const { generation } = event;
      const held = state.runs.find(({ id }) => id === generation.id);
      const run = { ...generation, content: held?.content ?? [] };
      return { ...state, runs: [...without(state.runs, run.id), run].sort(byId) };
    }
    case 'generation.chunk':
      return changeRun(state, event.generationId, (content) => applyChunk(content, event.chunk));
    case 'generation.reset':
      return changeRun(state, event.generationId, () => []);
    case 'generation.completed':
    case 'generation.cancelled':
    case 'generation.failed':
      return withEnd(state, event);
    case 'document.started':
    case 'document.section':
    case 'document.phase':
    case 'document.completed':
    case 'document.cancelled':
    case 'document.failed':
      return withHead(state, event.document);
    case 'document.deleted':
      return { ...state, deleted: true };
    default:
      return state;
  }
}

/** An older run of a section, which was let go of, says nothing about it any more. */
function withEnd(state: DocumentState, event: RoomEventOf<TerminalEventType>): DocumentState {
  const { generation, generationId } = event;
  const runs = without(state.runs, generationId);
  const text = 'text' in generation ? generation.text : '';
  const { sectionIndex, phase, status } = generation;
  if (
    sectionIndex !== null &&
    !runs.some((run) => run.sectionIndex === sectionIndex && run.id > generationId)
  )
    return {
      ...state,
      runs,
      tookMs: withDuration(state.tookMs, sectionIndex, generation),
      document: withText(state.document, sectionIndex, text),
    };
  if (phase !== null && status === 'completed')
    return { ...state, runs, document: withResult(state.document, phase, text) };
  return { ...state, runs };
}

function withDuration(
  tookMs: ReadonlyMap<number, number>,
  index: number,
  { status, metrics: { durationMs } }: GenerationHead,
): ReadonlyMap<number, number> {
  return status === 'completed' && durationMs !== null ? new Map(tookMs).set(index, durationMs) : tookMs;
}

function withText(document: Document, index: number, text: string): Document {
  const section = document.sections[index];
  if (!section || text === '') return document;
  return { ...document, sections: document.sections.with(index, { ...section, text }) };
}

function withResult(document: Document, phase: keyof DocumentResult, answer: string): Document {
  const done = document.sections.filter(({ status }) => status === 'done').map(({ index }) => index);
  try {
    const value = readPhase(phase, answer, new Set(done));
    return { ...document, result: { ...document.result, [phase]: value } };
  } catch (error) {
    if (error instanceof PhaseMismatch) return document;
    throw error;
  }
}

function withHead(state: DocumentState, head: DocumentHead): DocumentState {
  const { sections, result } = state.document;
  const merged = head.sections.map((section) => ({ ...section, text: sections[section.index]?.text ?? '' }));
  return { ...state, document: { ...head, sections: merged, result } };
}

function changeRun(
  state: DocumentState,
  id: string,
  change: (content: readonly ContentBlock[]) => readonly ContentBlock[],
): DocumentState {
  const at = state.runs.findIndex((run) => run.id === id);
  const run = state.runs[at];
  if (!run) return state;
  const content = change(run.content);
  return content === run.content ? state : { ...state, runs: state.runs.with(at, { ...run, content }) };
}

/** The text stays out: the content has it, and two copies would have to be kept equal. */
function toRun(generation: Generation): LiveRun {
  const run: LiveRun & { text?: string } = { ...generation };
  delete run.text;
  return run;
}

const without = (runs: readonly LiveRun[], id: string): readonly LiveRun[] =>
  runs.filter((run) => run.id !== id);

/** UUIDv7: in the order of their making, which one document's lock makes that of their commits. */
const byId = (a: LiveRun, b: LiveRun) => (a.id < b.id ? -1 : 1);
