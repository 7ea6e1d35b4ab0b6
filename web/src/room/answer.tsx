import { memo, use, useRef } from 'react';
import { AnswerFrame } from './answer-frame.js';
import { AnswerLookContext } from './answer-look.js';
import { settledFrame, type SettledAnswer } from './settled-answer.js';
import { useGenerationEnd } from './use-generation-end.js';
import { writingFrame, type WritingAnswer } from './writing-answer.js';

/** An answer, from its typing dots to where it stands: one row all along. */
export const Answer = memo(function Answer(answer: SettledAnswer | WritingAnswer) {
  const content = useRef<HTMLDivElement>(null);
  const look = use(AnswerLookContext);
  const settled = answer.kind === 'settled' ? answer : null;
  const end = useGenerationEnd(
    settled?.message ?? null,
    settled?.ended ?? null,
    settled !== null && (settled.fetchEnd || settled.message.status === 'partial'),
  );
  return answer.kind === 'settled' ? (
    <AnswerFrame {...settledFrame(answer, end, look)} contentRef={content} />
  ) : (
    <AnswerFrame {...writingFrame(answer, content, look)} />
  );
});
