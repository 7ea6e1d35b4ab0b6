import {
  cloneElement,
  useEffect,
  useState,
  type ButtonHTMLAttributes,
  type ComponentType,
  type KeyboardEvent,
  type ReactElement,
} from 'react';
import { whenIdle } from '../lib/when-idle.js';
import { toastProblem } from './toasts.js';

interface Triggered {
  /** The button that opens it. */
  trigger: ReactElement<ButtonHTMLAttributes<HTMLButtonElement>>;
}

interface Kind {
  /** What opens, as `aria-haspopup` says it. */
  popup: 'menu' | 'dialog';
  /** What it is called where it cannot be had. */
  name: string;
}

/**
 * A popup whose code comes when it is asked for, or earlier: while the page is idle, or when its button is approached.
 * Until then the button stands alone.
 *
 * @param load brings the popup, which stands open once it is drawn and keeps the button
 */
export function onDemand<P extends Triggered>(
  load: () => Promise<{ default: ComponentType<P> }>,
  { popup, name }: Kind,
): (props: P & { /** Opens it from elsewhere. */ wanted?: boolean }) => ReactElement {
  let loaded: ComponentType<P> | null = null;
  const bring = async () => {
    loaded ??= (await load()).default;
    return loaded;
  };
  const approach = () => {
    // Who only comes near need not be told that it cannot be had.
    bring().catch(() => undefined);
  };
  whenIdle(approach);

  return function OnDemand({ wanted = false, ...rest }) {
    const props = rest as unknown as P;
    const [Popup, setPopup] = useState<ComponentType<P> | null>(null);
    const [asked, setAsked] = useState(false);
    const open = () => {
      setAsked(true);
      bring().then(
        (made) => {
          setPopup(() => made);
        },
        () => {
          setAsked(false);
          toastProblem(`${name} could not be loaded. Try again when the connection is back.`);
        },
      );
    };
    useEffect(() => {
      if (wanted) open();
    }, [wanted]);
    if (Popup) return <Popup {...props} />;
    return cloneElement(props.trigger, {
      'aria-haspopup': popup,
      'aria-expanded': false,
      'aria-busy': asked || undefined,
      onClick: open,
      onPointerEnter: approach,
      onFocus: approach,
      onKeyDown: (event: KeyboardEvent) => {
        if (popup !== 'menu' || (event.key !== 'ArrowDown' && event.key !== 'ArrowUp')) return;
        event.preventDefault();
        open();
      },
    });
  };
}
