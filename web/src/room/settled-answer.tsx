import { Play, RefreshCw, Trash2 } from 'lucide-react';
import type { EndedGeneration, GenerationHead, Message, User } from '../../../src/client/index.js';
import { CopyButton } from '../ui/copy-button.js';
import { Icon } from '../ui/icon.js';
import type { AnswerFrameProps } from './answer-frame.js';
import type { AnswerLook } from './answer-look.js';
import { EndWords } from './end-words.js';
import { endedFigures } from './figures.js';
import { ActionButton, RowActions, type LogActions } from './row-actions.js';
import { FigureList } from './status-line.js';
import { structureOf } from './structure-of.js';
import { ToWhom } from './to-whom.js';
import { lastingWarnings, Warnings } from './warnings.js';

export interface SettledAnswer {
  kind: 'settled';
  message: Message;
  /** How it ended, where that was seen here. */
  ended: EndedGeneration | null;
  to: User | null;
  /** Whether to ask the server how it ended, when that was not seen here. */
  fetchEnd: boolean;
  /** What the reader may do with it. */
  rights: 'none' | 'answer' | 'delete';
  /** Whether it is being gone on with, or answered anew. */
  busy: boolean;
  actions: LogActions;
}

/** An answer that stands: plain when whole, capped when it was stopped or failed. `end`: how it ended, if known. */
export function settledFrame(
  answer: SettledAnswer,
  end: GenerationHead | null,
  look: AnswerLook | null,
): Omit<AnswerFrameProps, 'contentRef'> {
  const { message, ended, to, rights, busy, actions } = answer;
  const isPartial = message.status === 'partial';
  const isCut = end?.status === 'completed' && end.stopReason === 'max_tokens';
  const mayAsk = rights !== 'none' && !busy;
  return {
    id: message.id,
    state: isPartial ? 'partial' : 'complete',
    at: look ? undefined : message.createdAt,
    content: { content: message.content, writing: false, seen: ended, ...structureOf(end?.options) },
    line: (
      <span
        className={isPartial ? 'line capped' : 'line'}
        data-cap={end?.status === 'failed' ? 'failed' : 'stopped'}
      />
    ),
    head: (
      <>
        {look ? <look.Note answerId={message.id} /> : <ToWhom to={to} />}
        {isPartial && <span className="row-note">partial</span>}
        <RowActions>
          <CopyButton text={message.text} label="Copy the answer" />
          {mayAsk && (
            <ActionButton
              icon={RefreshCw}
              label="Answer again"
              onClick={() => {
                actions.regenerate(message.id);
              }}
            />
          )}
          {rights === 'delete' && (
            <ActionButton
              icon={Trash2}
              label="Delete"
              onClick={() => {
                actions.remove(message);
              }}
            />
          )}
        </RowActions>
      </>
    ),
    foot: (
      <>
        {ended && <Warnings warnings={lastingWarnings(ended.warnings)} />}
        {end && (
          <div className="status settled">
            <FigureList figures={endedFigures(end)} brief={look !== null} />
          </div>
        )}
        {isPartial && <EndWords end={end} />}
        {isCut && <p className="end-words">It reached its limit of tokens.</p>}
      </>
    ),
    buttons: (isPartial || isCut) && mayAsk && (
      <div className="row-actions">
        {message.generationId !== null && (
          <button
            type="button"
            className="button small"
            onClick={() => {
              actions.continue(message.generationId ?? '');
            }}
          >
            <Icon of={Play} size={14} />
            Continue
          </button>
        )}
        <button
          type="button"
          className="button plain small"
          onClick={() => {
            actions.regenerate(message.id);
          }}
        >
          <Icon of={RefreshCw} size={14} />
          Start over
        </button>
      </div>
    ),
  };
}
