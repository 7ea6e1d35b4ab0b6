import { ChevronRight } from 'lucide-react';
import { lazy, memo, Suspense, use, useEffect, useMemo, useState, type ReactNode } from 'react';
import {
  blockKey,
  structuredObjects,
  textOf,
  type ContentBlock,
  type StructuredObject,
  type Witnessed,
} from '../../../src/client/index.js';
import { roundSeconds } from '../lib/format.js';
import type { Schema } from '../objects/tree-node.js';
import { proseOf } from '../markdown/fences.js';
import { Icon } from '../ui/icon.js';
import { AnswerLookContext } from './answer-look.js';
import { ToolCall } from './tool-call.js';
import { outputOf, type ToolOutput, type ToolUse } from './tool-output.js';

/** A third of the page's code, and not needed for its first picture: it comes beside the first room. */
const markdown = import('../markdown/markdown.js').then(({ Markdown }) => ({ default: Markdown }));
const Markdown = lazy(() => markdown);
const CodeFigure = lazy(() =>
  import('../markdown/code-figure.js').then((made) => ({ default: made.CodeFigure })),
);
const ObjectTree = lazy(() => import('../objects/object-tree.js'));

const idleMs = 500;
const nothingSeen = { objects: [], durationsMs: new Map<string, number>() };

export interface ContentViewProps {
  content: readonly ContentBlock[];
  /** More is to come; the caret stands behind the last word. */
  writing: boolean;
  /** What was seen of it beside its content; null: it was not watched. */
  seen: Pick<Witnessed, 'objects' | 'durationsMs'> | null;
  /** Whether its text is JSON, by what was asked for. */
  structured?: boolean;
  /** What its objects are to be, where that was said. */
  schema?: Schema | null;
}

/** The blocks of an answer in their order. Where the answer is made of objects, they stand in the place of its text. */
export function ContentView(props: ContentViewProps) {
  const { content, writing, seen, structured = false, schema = null } = props;
  const { objects: seenObjects, durationsMs } = seen ?? nothingSeen;
  const idle = useIdle(content, writing);
  const last = content.length - 1;
  const objects = useMemo(
    () => structuredObjects({ objects: seenObjects }, writing ? '' : textOf(content)),
    [seenObjects, content, writing],
  );
  const firstText = objects ? content.findIndex(({ type }) => type === 'text') : -1;
  return (
    <div className="content" data-writing={writing} data-idle={idle} data-testid="answer-text">
      {content.map((block, index) =>
        objects && block.type === 'text' ? (
          index === firstText && <Objects key={index} objects={objects} schema={schema} text={block.text} />
        ) : (
          <BlockView
            key={index}
            block={block}
            output={isCall(block) ? outputOf(content, block.id) : null}
            tookMs={durationsMs.get(blockKey(content, index) ?? '') ?? null}
            structured={structured}
            writing={writing && index === last}
          />
        ),
      )}
    </div>
  );
}

function Objects(props: { objects: readonly StructuredObject[]; schema: Schema | null; text: string }) {
  const { objects, schema, text } = props;
  return (
    <Suspense fallback={<p className="said">{text}</p>}>
      <ObjectTree objects={objects} schema={schema} />
    </Suspense>
  );
}

interface BlockViewProps {
  block: ContentBlock;
  /** What a tool call came back with. */
  output: ToolOutput | null;
  /** How long it took; null: not known. */
  tookMs: number | null;
  structured: boolean;
  writing: boolean;
}

const BlockView = memo(function BlockView(props: BlockViewProps) {
  const { block, output, tookMs, structured, writing } = props;
  switch (block.type) {
    case 'text':
      return structured ? (
        <Suspense fallback={<p className="said">{block.text}</p>}>
          <CodeFigure code={block.text} fence="json" caret={writing} />
        </Suspense>
      ) : (
        <Text text={block.text} writing={writing} />
      );
    case 'thinking': {
      const thought = tookMs === null ? 'Thought' : `Thought for ${roundSeconds(tookMs)}`;
      return (
        <Fold name={writing ? 'Thinking' : thought} hint={firstWords(block.thinking)}>
          <p className="thinking">{block.thinking}</p>
        </Fold>
      );
    }
    case 'tool_use':
    case 'server_tool_use':
      return <ToolCall call={block} output={output} tookMs={tookMs} />;
    // Results are shown with their calls, and of the others there is nothing that can be read.
    default:
      return null;
  }
}, sameBlock);

/** Outputs are made anew each time: what they say counts. */
function sameBlock(before: BlockViewProps, now: BlockViewProps): boolean {
  return (
    before.block === now.block &&
    before.writing === now.writing &&
    before.structured === now.structured &&
    before.tookMs === now.tookMs &&
    before.output?.text === now.output?.text
  );
}

const isCall = (block: ContentBlock): block is ToolUse =>
  block.type === 'tool_use' || block.type === 'server_tool_use';

function Text({ text, writing }: { text: string; writing: boolean }) {
  const isWhole = use(AnswerLookContext) === null;
  const { shown, isOpen } = isWhole ? { shown: text, isOpen: true } : proseOf(text);
  return (
    <Suspense fallback={<p className="said">{shown}</p>}>
      <Markdown text={shown} writing={writing && isOpen} />
    </Suspense>
  );
}

function Fold({ name, hint, children }: { name: string; hint: string; children: ReactNode }) {
  return (
    <details className="fold">
      <summary>
        <Icon of={ChevronRight} size={14} />
        <span>{name}</span>
        <span className="fold-hint">{hint}</span>
      </summary>
      {children}
    </details>
  );
}

const firstWords = (text: string): string => text.trimStart().slice(0, 80).split('\n', 1)[0] ?? '';

/** Whether nothing was written for a while: the caret blinks then. */
function useIdle(content: readonly ContentBlock[], writing: boolean): boolean {
  const [idle, setIdle] = useState(false);
  useEffect(() => {
    setIdle(false);
    if (!writing) return;
    const timer = setTimeout(() => {
      setIdle(true);
    }, idleMs);
    return () => {
      clearTimeout(timer);
    };
  }, [content, writing]);
  return idle;
}
