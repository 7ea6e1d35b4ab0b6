import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { concurrencies, type Concurrency, type ConversationView } from '../../../src/client/index.js';
import { http } from '../services.js';
import { FormDialog } from './form-dialog.js';
import { modelsQuery } from './models-query.js';

const whenBusy: Record<Concurrency, string> = {
  queue: 'waits in line',
  interrupt: 'interrupts it',
  parallel: 'is answered beside it',
  reject: 'is refused',
};

/** Model, instructions and order of answering: for the questions that are asked from then on. */
export function SettingsDialog({
  conversation,
  onClose,
}: {
  conversation: ConversationView;
  onClose: () => void;
}) {
  const { data } = useQuery(modelsQuery);
  const [model, setModel] = useState(conversation.model ?? '');
  const [system, setSystem] = useState(conversation.system ?? '');
  const [concurrency, setConcurrency] = useState(conversation.concurrency);
  const names = data?.items.map(({ id }) => id) ?? [];
  const offered = model === '' || names.includes(model) ? names : [model, ...names];
  const save = () =>
    http.updateConversation(conversation.id, {
      model: model || null,
      system: system.trim() === '' ? null : system,
      concurrency,
    });
  return (
    <FormDialog title="Model and instructions" wide onClose={onClose} onSave={save}>
      <label className="field">
        <span>Model</span>
        <select
          value={model}
          onChange={(event) => {
            setModel(event.target.value);
          }}
        >
          <option value="">The server’s default</option>
          {offered.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label className="field">
        <span>Instructions to the assistant</span>
        <textarea
          value={system}
          rows={6}
          maxLength={100_000}
          placeholder="Answer briefly. Name your sources."
          onChange={(event) => {
            setSystem(event.target.value);
          }}
        />
      </label>
      <label className="field">
        <span>A question that comes while another is answered</span>
        <select
          value={concurrency}
          onChange={(event) => {
            const chosen = concurrencies.find((one) => one === event.target.value);
            if (chosen) setConcurrency(chosen);
          }}
        >
          {concurrencies.map((one) => (
            <option key={one} value={one}>
              {whenBusy[one]}
            </option>
          ))}
        </select>
      </label>
      <p className="dialog-words">Holds for everyone here, from the next question on.</p>
    </FormDialog>
  );
}
