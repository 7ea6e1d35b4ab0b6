import { useRef, useState, type KeyboardEvent } from 'react';
import type { Message } from '../../../src/client/index.js';
import { useGrowth } from './composer.js';
import { isRemark } from './remark.js';
import type { LogActions } from './row-actions.js';

interface MessageEditorProps {
  message: Message;
  followed: boolean;
  actions: LogActions;
}

/** One's own message, being changed where it stands. Enter keeps it, Esc leaves it as it was. */
export function MessageEditor({ message, followed, actions }: MessageEditorProps) {
  const [text, setText] = useState(message.text);
  const [saving, setSaving] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  useGrowth(area, text);
  const close = () => {
    actions.edit(null);
  };
  const save = async () => {
    if (text.trim() === '' || saving) return;
    setSaving(true);
    if (await actions.save(message, text.trim())) close();
    else setSaving(false);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Escape') close();
    else if (event.key === 'Enter' && !event.shiftKey) void save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <form
      className="message-editor"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <textarea
        ref={area}
        rows={1}
        value={text}
        autoFocus
        aria-label="Edit the message"
        onFocus={({ target }) => {
          target.setSelectionRange(target.value.length, target.value.length);
        }}
        onChange={(event) => {
          setText(event.target.value);
        }}
        onKeyDown={onKeyDown}
      />
      <div className="row-actions">
        <button type="submit" className="button primary small" disabled={text.trim() === '' || saving}>
          {isRemark(message) ? 'Save' : 'Ask again'}
        </button>
        <button type="button" className="button plain small" onClick={close}>
          Cancel
        </button>
        {followed && <span className="editor-words">What follows is dropped.</span>}
      </div>
    </form>
  );
}
