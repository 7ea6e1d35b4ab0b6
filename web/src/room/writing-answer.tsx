import { useState, type RefObject } from 'react';
import {
  hasContent,
  type ConnectionState,
  type LiveGeneration,
  type User,
} from '../../../src/client/index.js';
import { seconds } from '../lib/format.js';
import { useNow } from '../lib/use-now.js';
import type { AnswerFrameProps } from './answer-frame.js';
import type { AnswerLook } from './answer-look.js';
import { liveFigures } from './figures.js';
import { ProgressBar } from './progress-bar.js';
import { FigureList, heldWords, StopButton } from './status-line.js';
import { structureOf } from './structure-of.js';
import { ToWhom } from './to-whom.js';
import { useMissedStretch } from './use-missed-stretch.js';
import { standingWarnings, Warnings } from './warnings.js';

export interface WritingAnswer {
  kind: 'writing';
  generation: LiveGeneration;
  to: User | null;
  connection: ConnectionState;
  stopping: boolean;
  mayStop: boolean;
  /** Whether others wait behind: the line goes on in dots. */
  followed: boolean;
  onStop: (generationId: string) => void;
}

/** An answer that is being written: green down to the head, broken from the last word while the connection is away. */
export function writingFrame(
  answer: WritingAnswer,
  contentRef: RefObject<HTMLDivElement | null>,
  look: AnswerLook | null,
): AnswerFrameProps {
  const { generation, to, connection, followed } = answer;
  const { content, options, messageId } = generation;
  const hasBegun = hasContent(content);
  return {
    id: messageId,
    state: 'writing',
    held: connection.state !== 'live',
    at: hasBegun && !look ? (generation.startedAt ?? generation.createdAt) : undefined,
    content: hasBegun ? { content, writing: true, seen: generation, ...structureOf(options) } : null,
    contentRef,
    line: (
      <>
        <span className="line writing" />
        <MissedTicks content={contentRef} connection={connection} />
        {followed && <span className="line tail dotted" />}
      </>
    ),
    head: look ? <look.Note answerId={messageId} /> : <ToWhom to={to} />,
    foot: <WritingFoot answer={answer} hasBegun={hasBegun} look={look} />,
  };
}

/** Where the words stand that were missed, once they are there. */
function MissedTicks(props: { content: RefObject<HTMLDivElement | null>; connection: ConnectionState }) {
  const stretch = useMissedStretch(props.content, props.connection);
  if (!stretch) return null;
  return <span className="ticks" data-testid="missed" style={{ top: stretch.top, height: stretch.height }} />;
}

interface WritingFootProps {
  answer: WritingAnswer;
  hasBegun: boolean;
  look: AnswerLook | null;
}

function WritingFoot({ answer, hasBegun, look }: WritingFootProps) {
  const { generation, connection, stopping, mayStop, onStop } = answer;
  const { options, progress } = generation;
  const figures = liveFigures(generation);
  return (
    <>
      <Warnings warnings={standingWarnings(generation)} />
      {look && hasBegun && <look.Percent generation={generation} />}
      {/* How long it may become says how far it is only where the asker has said it. */}
      {!look && hasBegun && progress && options.maxTokens !== undefined && (
        <ProgressBar progress={progress} maxTokens={options.maxTokens} />
      )}
      <div className="status">
        <span className="head" />
        {connection.state !== 'live' ? (
          <span className="status-words">{heldWords(figures.tokens)}</span>
        ) : hasBegun ? (
          look ? (
            <look.Progress generation={generation} />
          ) : (
            <FigureList figures={figures} />
          )
        ) : (
          <WaitingForModel generation={generation} />
        )}
        {mayStop && (
          <StopButton
            stopping={stopping}
            onStop={() => {
              onStop(generation.id);
            }}
          />
        )}
      </div>
    </>
  );
}

function WaitingForModel({ generation }: { generation: LiveGeneration }) {
  const now = useNow(true, 100);
  // From when it was its turn, not from when it was asked.
  const [since] = useState(() => (generation.startedAt ? Date.parse(generation.startedAt) : Date.now()));
  return (
    <span className="figures">
      <span>
        <b>{seconds(now - since)}</b> waiting for {generation.model}
      </span>
    </span>
  );
}
