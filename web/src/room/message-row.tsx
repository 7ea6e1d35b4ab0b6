import { CircleAlert, Pencil, RefreshCw, RotateCcw, Trash2 } from 'lucide-react';
import { memo, type ReactNode } from 'react';
import type { Message, User } from '../../../src/client/index.js';
import { clockTime } from '../lib/format.js';
import { Avatar } from '../ui/avatar.js';
import { Icon } from '../ui/icon.js';
import { MessageEditor } from './message-editor.js';
import type { PendingMessage } from './outbox.js';
import { isRemark } from './remark.js';
import { Said } from './said.js';
import { ActionButton, RowActions, type LogActions } from './row-actions.js';

interface RowHeadProps {
  name: string;
  at?: string;
  children?: ReactNode;
}

/** Who, when, and what else there is to say before the text. */
export function RowHead({ name, at, children }: RowHeadProps) {
  return (
    <div className="row-head">
      <span className="row-name">{name}</span>
      {at && <time dateTime={at}>{clockTime(at)}</time>}
      {children}
    </div>
  );
}

const somebody: User = { id: '', name: 'Someone' };

interface MessageRowProps {
  message: Message;
  /** Whether its author watches the room now; null: not known. */
  here: boolean | null;
  /** What the reader may do with it. */
  rights: 'none' | 'answer' | 'delete' | 'edit';
  editing: boolean;
  /** Whether something was said after it, which asking again drops. */
  followed: boolean;
  actions: LogActions;
}

/** What a person said. */
export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, here, rights, editing, followed, actions } = props;
  const author = message.author ?? somebody;
  const remark = isRemark(message);
  return (
    <li className="row" data-testid="message" data-message-id={message.id} tabIndex={-1}>
      <Avatar user={author} hollow={here === false} />
      <div className="row-body">
        <span className="line" />
        <RowHead name={author.name} at={message.createdAt}>
          {remark && <span className="row-note">remark</span>}
          {rights !== 'none' && !editing && (
            <RowActions>
              {rights === 'edit' && (
                <ActionButton
                  icon={Pencil}
                  label={remark ? 'Edit' : 'Edit and ask again'}
                  onClick={() => {
                    actions.edit(message.id);
                  }}
                />
              )}
              <ActionButton
                icon={RefreshCw}
                label={remark ? 'Have it answered' : 'Answer again'}
                onClick={() => {
                  actions.regenerate(message.id);
                }}
              />
              {rights !== 'answer' && (
                <ActionButton
                  icon={Trash2}
                  label="Delete"
                  onClick={() => {
                    actions.remove(message);
                  }}
                />
              )}
            </RowActions>
          )}
        </RowHead>
        {editing ? (
          <MessageEditor message={message} followed={followed && !remark} actions={actions} />
        ) : (
          <Said text={message.text} />
        )}
      </div>
    </li>
  );
});

interface PendingRowProps {
  pending: PendingMessage;
  user: User;
  onRetry: () => void;
  onEdit: () => void;
  onDiscard: () => void;
}

/** What this window sent and the room does not show yet: hollow and dotted until the server has it. */
export function PendingRow({ pending, user, onRetry, onEdit, onDiscard }: PendingRowProps) {
  const { state, content, createdAt, problem, remark } = pending;
  const isAccepted = state === 'accepted';
  return (
    <li className="row" data-testid="pending-message" data-state={state}>
      <Avatar user={user} hollow={!isAccepted} />
      <div className="row-body">
        <span className={isAccepted ? 'line' : 'line dotted'} />
        <RowHead name={user.name} {...(state === 'failed' ? {} : { at: createdAt })}>
          {remark && <span className="row-note">remark</span>}
          {state === 'failed' && <span className="bad">not sent</span>}
          {state === 'sending' && <span className="visually-hidden">sending</span>}
        </RowHead>
        <Said text={content} unsent={!isAccepted} />
        {state === 'failed' && (
          <>
            <p className="problem" role="alert">
              <Icon of={CircleAlert} />
              {problem?.words}
            </p>
            <div className="row-actions">
              <button type="button" className="button small" onClick={onRetry}>
                <Icon of={RotateCcw} size={14} />
                Send again
              </button>
              <button type="button" className="button plain small" onClick={onEdit}>
                Edit
              </button>
              <button type="button" className="button plain small" onClick={onDiscard}>
                Discard
              </button>
            </div>
          </>
        )}
      </div>
    </li>
  );
}
