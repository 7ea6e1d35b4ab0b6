import type { ContentBlock, LiveGeneration } from '../../../src/client/index.js';
import { textOf } from '../../../src/client/index.js';
import { splitFences, type CodePiece } from '../markdown/fences.js';
import type { Timeline, TimelineItem } from '../room/timeline.js';

/** What an answer with code in it has made: one state of the work. */
export interface Version {
  /** From 1, in the order of the answers. */
  number: number;
  /** The message that is, or will be, the answer. */
  answerId: string;
  /** Its blocks of code; never empty. */
  files: readonly CodePiece[];
  /** What writes it; null: it is written. */
  writing: LiveGeneration | null;
}

/** All versions of a conversation: one for each answer with code. */
export function versionsOf({ items }: Timeline): Version[] {
  const versions: Version[] = [];
  for (const item of items) {
    const answer = answerOf(item);
    const files = answer && filesOf(answer.content);
    if (!files?.length) continue;
    versions.push({
      number: versions.length + 1,
      answerId: item.id,
      files,
      writing: answer?.writing ?? null,
    });
  }
  return versions;
}

/** Of several files of a version the one to look at: where it grows, else the longest. */
export function mainFile({ files, writing }: Version): number {
  if (writing) return files.length - 1;
  const longest = Math.max(...files.map(({ code }) => code.length));
  return files.findIndex(({ code }) => code.length === longest);
}

interface Answer {
  content: readonly ContentBlock[];
  writing: LiveGeneration | null;
}

function answerOf(item: TimelineItem): Answer | null {
  switch (item.kind) {
    case 'message':
      return item.message.role === 'assistant' ? { content: item.message.content, writing: null } : null;
    case 'writing':
      return { content: item.generation.content, writing: item.generation };
    case 'unanswered':
      return null;
  }
}

/** Answers that stand are read once. */
const read = new WeakMap<readonly ContentBlock[], readonly CodePiece[]>();

function filesOf(content: readonly ContentBlock[]): readonly CodePiece[] {
  const known = read.get(content);
  if (known) return known;
  const files = splitFences(textOf(content)).filter((piece) => piece.kind === 'code');
  read.set(content, files);
  return files;
}
