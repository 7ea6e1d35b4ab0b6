import type { ReactNode, RefObject } from 'react';
import { AssistantAvatar } from '../ui/avatar.js';
import { ContentView, type ContentViewProps } from './content-view.js';
import { RowHead } from './message-row.js';
import { assistantName } from './to-whom.js';

export interface AnswerFrameProps {
  id: string;
  state: 'writing' | 'complete' | 'partial';
  /** Whether the connection is away while it is written. */
  held?: boolean;
  /** What is drawn along it. */
  line: ReactNode;
  /** When; not where that is no matter. */
  at?: string | undefined;
  /** Beside the name. */
  head: ReactNode;
  /** Null before the first word. */
  content: ContentViewProps | null;
  contentRef: RefObject<HTMLDivElement | null>;
  /** Below the content. */
  foot: ReactNode;
  /** What can be done with it, below all else. */
  buttons?: ReactNode;
}

/**
 * The row of an answer: the same elements while it is written and once it stands. So nothing of a long answer is drawn
 * anew at its end, and what its reader has unfolded, scrolled or selected in it stays so.
 */
export function AnswerFrame(props: AnswerFrameProps) {
  const { id, state, held, line, at, head, content, contentRef, foot, buttons } = props;
  return (
    <li
      className="row"
      data-testid="answer"
      data-state={state}
      data-held={held}
      data-message-id={id}
      tabIndex={-1}
    >
      <AssistantAvatar writing={state === 'writing'} />
      <div className="row-body">
        {line}
        <RowHead name={assistantName} {...(at !== undefined && { at })}>
          {head}
        </RowHead>
        <div ref={contentRef}>{content ? <ContentView {...content} /> : <TypingDots />}</div>
        {foot}
      </div>
      {buttons}
    </li>
  );
}

function TypingDots() {
  return (
    <span className="typing-dots" aria-hidden>
      <i />
      <i />
      <i />
    </span>
  );
}
