import { useState } from 'react';
import type { ConversationView } from '../../../src/client/index.js';
import { http } from '../services.js';
import { FormDialog } from './form-dialog.js';

const maxTitleCharacters = 200;

export function RenameDialog({
  conversation,
  onClose,
}: {
  conversation: ConversationView;
  onClose: () => void;
}) {
  const [title, setTitle] = useState(conversation.title ?? '');
  return (
    <FormDialog
      title="Rename the conversation"
      onClose={onClose}
      onSave={() => http.updateConversation(conversation.id, { title: title.trim() || null })}
    >
      <label className="field">
        <span>Title</span>
        <input
          value={title}
          maxLength={maxTitleCharacters}
          autoFocus
          onFocus={(event) => {
            event.target.select();
          }}
          onChange={(event) => {
            setTitle(event.target.value);
          }}
        />
      </label>
    </FormDialog>
  );
}
