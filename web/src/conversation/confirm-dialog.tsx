import { AlertDialog } from '@base-ui/react/alert-dialog';
import { useMutation } from '@tanstack/react-query';
import { useRef } from 'react';
import { toastError } from '../ui/toasts.js';
import { focusAfterDialog } from '../ui/focus-after-dialog.js';

interface ConfirmDialogProps {
  title: string;
  /** What will happen, in full. */
  words: string;
  confirm: string;
  keep: string;
  /** `Deleting`: for the words when it fails. */
  doing: string;
  act: () => Promise<unknown>;
  onClose: () => void;
}

/** One question before what cannot be undone; the safe answer has the focus. */
export default function ConfirmDialog({
  title,
  words,
  confirm,
  keep,
  doing,
  act,
  onClose,
}: ConfirmDialogProps) {
  const safe = useRef<HTMLButtonElement>(null);
  const { mutate, isPending } = useMutation({
    mutationFn: act,
    onSuccess: onClose,
    onError: (error) => {
      toastError(doing, error);
    },
  });
  return (
    <AlertDialog.Root
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="backdrop" />
        <AlertDialog.Popup className="dialog" initialFocus={safe} finalFocus={focusAfterDialog}>
          <AlertDialog.Title className="dialog-question">{title}</AlertDialog.Title>
          <AlertDialog.Description className="dialog-words">{words}</AlertDialog.Description>
          <div className="dialog-foot">
            <AlertDialog.Close ref={safe} className="button safe">
              {keep}
            </AlertDialog.Close>
            <button
              type="button"
              className="button destructive"
              disabled={isPending}
              onClick={() => {
                mutate();
              }}
            >
              {confirm}
            </button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
