import { Dialog } from '@base-ui/react/dialog';
import { useMutation } from '@tanstack/react-query';
import { CircleAlert } from 'lucide-react';
import type { ReactNode, SubmitEvent } from 'react';
import { TokencastError } from '../../../src/client/index.js';
import { Icon } from '../ui/icon.js';
import { focusAfterDialog } from '../ui/focus-after-dialog.js';

interface FormDialogProps {
  title: string;
  /** Saves; a rejection is shown in the dialog, which stays. */
  onSave: () => Promise<unknown>;
  onClose: () => void;
  wide?: boolean;
  children: ReactNode;
}

/** Fields in a dialog, with Save and Cancel. */
export function FormDialog({ title, onSave, onClose, wide = false, children }: FormDialogProps) {
  const save = useMutation({ mutationFn: onSave, onSuccess: onClose });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Dialog.Root
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className={wide ? 'dialog wide' : 'dialog'} finalFocus={focusAfterDialog}>
          <Dialog.Title className="dialog-question">{title}</Dialog.Title>
          <form onSubmit={submit}>
            {children}
            {save.isError && (
              <p className="problem" role="alert">
                <Icon of={CircleAlert} />
                {save.error instanceof TokencastError
                  ? save.error.detail
                  : 'Something went wrong in this page.'}
              </p>
            )}
            <div className="dialog-foot">
              <Dialog.Close className="button">Cancel</Dialog.Close>
              <button type="submit" className="button primary" disabled={save.isPending}>
                Save
              </button>
            </div>
          </form>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
