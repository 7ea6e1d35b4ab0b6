import { Dialog } from '@base-ui/react/dialog';
import { useMutation } from '@tanstack/react-query';
import { useState, type SubmitEvent } from 'react';
import { TokencastError } from '../../../src/client/index.js';
import { http, session } from '../services.js';
import { BrandMark } from '../ui/brand-mark.js';

const maxNameCharacters = 80;

function refusalWords(error: Error): string {
  if (!(error instanceof TokencastError)) return 'That did not work. Try again.';
  // Where sessions come from elsewhere, another name changes nothing.
  return error.code === 'not_found'
    ? 'People come in here through another application. Open it from there.'
    : `${error.detail} Try again.`;
}

/** Asks who is here, for as long as there is no session. */
export default function NameDialog() {
  const [name, setName] = useState('');
  const enter = useMutation({
    mutationFn: (given: string) => http.createSession(given),
    onSuccess: (made) => {
      session.take(made);
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (name.trim()) enter.mutate(name.trim());
  };
  return (
    <Dialog.Root open>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop blank" />
        <Dialog.Popup className="dialog" data-testid="name-dialog">
          <BrandMark size={24} />
          <Dialog.Title className="dialog-title">What should people call you?</Dialog.Title>
          <Dialog.Description className="dialog-words">
            Everyone in a conversation sees this.
          </Dialog.Description>
          <form onSubmit={submit}>
            <label className="field">
              <span>Name</span>
              <input
                name="name"
                value={name}
                maxLength={maxNameCharacters}
                autoComplete="nickname"
                autoFocus
                onChange={(event) => {
                  setName(event.target.value);
                }}
              />
            </label>
            {enter.isError && (
              <p className="problem" role="alert">
                {refusalWords(enter.error)}
              </p>
            )}
            <button type="submit" className="button primary" disabled={!name.trim() || enter.isPending}>
              Continue
            </button>
          </form>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
