import { Toast } from '@base-ui/react/toast';
import { CircleAlert, X } from 'lucide-react';
import { useEffect, useSyncExternalStore } from 'react';
import { Icon } from './icon.js';
import { problems } from './problems.js';

/** What went wrong, for 6 s each; it stays while it is hovered or focused. */
export default function ToastStack() {
  return (
    <Toast.Provider timeout={6000} limit={3}>
      <Toast.Portal>
        <Toast.Viewport className="toasts">
          <ToastList />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function ToastList() {
  const { toasts, add } = Toast.useToastManager();
  const fresh = useSyncExternalStore(problems.subscribe, problems.get);
  useEffect(() => {
    for (const description of fresh) add({ description, type: 'problem' });
    if (fresh.length > 0) problems.set([]);
  }, [fresh, add]);
  return toasts.map((toast) => (
    <Toast.Root key={toast.id} toast={toast} className="toast" aria-label="Problem">
      <Icon of={CircleAlert} />
      <Toast.Description className="toast-words" />
      <Toast.Close className="icon-button small" aria-label="Dismiss">
        <Icon of={X} size={14} />
      </Toast.Close>
    </Toast.Root>
  ));
}
