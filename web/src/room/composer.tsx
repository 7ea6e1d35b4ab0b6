import { ArrowUp, FileUp, Paperclip } from 'lucide-react';
import {
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
  type Ref,
} from 'react';
import { isCommand } from '../lib/keys.js';
import { stored } from '../lib/stored.js';
import { Icon } from '../ui/icon.js';
import { Segmented } from '../ui/segmented.js';
import { toastProblem } from '../ui/toasts.js';
import { fencedText, UnfitFileError } from './text-file.js';
import { useFileDrop } from './use-file-drop.js';

export interface ComposerHandle {
  focus: () => void;
  /** Puts a text in, behind what is there, and goes to its end. */
  fill: (text: string) => void;
}

interface ComposerProps {
  /** Under which the draft, and whether one asks or remarks, is kept in this browser. */
  draftKey: string;
  /** Resolves when the text has gone its way; where it rejects, the text stays. */
  onSend: (content: string, remark: boolean) => Promise<void> | void;
  busy?: boolean;
  /** `ask`: there is nobody to remark to; `remark`: nothing can be asked now. Default: both. */
  only?: Mode;
  /** In the empty field, while one asks. */
  placeholder?: string;
  /** What stands beside the button while one asks, such as the place in line. */
  hint?: string | null;
  /** At every change: whether there is text now. */
  onTyping?: (typing: boolean) => void;
  /** The up arrow in an empty field. */
  onEditLast?: () => void;
  /** Controls behind Ask and Remark. */
  children?: ReactNode;
  ref?: Ref<ComposerHandle>;
}

type Mode = 'ask' | 'remark';

const draftPrefix = 'tokencast.draft.';
const modePrefix = 'tokencast.mode.';

/** Where one writes. Enter sends, Shift+Enter breaks the line; the draft survives a reload. */
export function Composer(props: ComposerProps) {
  const { draftKey, onSend, busy = false, only, hint = null, onTyping, onEditLast, children, ref } = props;
  const [text, setText] = useState(() => stored.get(draftPrefix + draftKey) ?? '');
  const [chosen, setChosen] = useState<Mode>(() => (stored.get(modePrefix + draftKey) ? 'remark' : 'ask'));
  const area = useRef<HTMLTextAreaElement>(null);
  const isEmpty = text.trim() === '';
  const mode = only ?? chosen;

  const fill = (given: string) => {
    setText((before) => (before.trim() ? `${before.trimEnd()}\n${given}` : given));
    area.current?.focus();
  };
  useImperativeHandle(ref, () => ({ focus: () => area.current?.focus(), fill }), []);
  useEffect(() => {
    // Behind the draft, not before it.
    const { current } = area;
    current?.setSelectionRange(current.value.length, current.value.length);
  }, []);
  useEffect(() => {
    stored.set(draftPrefix + draftKey, text);
  }, [draftKey, text]);
  useGrowth(area, text);

  const attach = async (files: readonly File[]) => {
    for (const file of files) {
      try {
        fill(await fencedText(file));
        onTyping?.(true);
      } catch (error) {
        toastProblem(error instanceof UnfitFileError ? error.message : `${file.name} could not be read.`);
      }
    }
  };
  const isDropping = useFileDrop((files) => void attach(files));

  const choose = (next: Mode) => {
    setChosen(next);
    stored.set(modePrefix + draftKey, next === 'remark' ? next : '');
  };
  const send = async (as: Mode) => {
    if (isEmpty || busy) return;
    onTyping?.(false);
    try {
      const sent = onSend(text.trim(), as === 'remark');
      if (!sent) setText('');
      else {
        await sent;
        stored.set(draftPrefix + draftKey, '');
        setText('');
      }
    } catch {
      // Whoever took it says why; the text is still here.
    }
    area.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'ArrowUp' && text === '' && onEditLast && !event.altKey) {
      event.preventDefault();
      onEditLast();
    }
    if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    const other = mode === 'ask' ? 'remark' : 'ask';
    void send(isCommand(event) && !only ? other : mode);
  };

  return (
    <form
      className="composer"
      data-dropping={isDropping}
      onSubmit={(event) => {
        event.preventDefault();
        void send(mode);
      }}
    >
      <textarea
        ref={area}
        rows={1}
        value={text}
        autoFocus
        aria-label="Message"
        placeholder={mode === 'ask' ? (props.placeholder ?? 'Write to everyone here') : 'Write a remark'}
        onChange={(event) => {
          setText(event.target.value);
          onTyping?.(event.target.value.trim() !== '');
        }}
        onKeyDown={onKeyDown}
      />
      <div className="composer-foot">
        {only !== 'ask' && (
          <Segmented
            label="Who answers"
            name="mode"
            options={[
              { value: 'ask', label: 'Ask', disabled: only === 'remark' },
              { value: 'remark', label: 'Remark' },
            ]}
            value={mode}
            onChange={choose}
          />
        )}
        {children}
        <AttachButton onFiles={(files) => void attach(files)} />
        <span className="composer-hint">{mode === 'ask' ? hint : null}</span>
        <button type="submit" className="send-button" aria-label="Send" disabled={isEmpty || busy}>
          <Icon of={ArrowUp} />
        </button>
      </div>
      {isDropping && (
        <p className="composer-drop">
          <Icon of={FileUp} />
          Drop text files to put them into the message
        </p>
      )}
    </form>
  );
}

/** Chooses text files, whose text goes into the message. */
function AttachButton({ onFiles }: { onFiles: (files: readonly File[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-testid="attached"
        onChange={({ target }) => {
          onFiles([...(target.files ?? [])]);
          target.value = '';
        }}
      />
      <button
        type="button"
        className="icon-button attach-button"
        aria-label="Put a text file into the message"
        title="Put a text file into the message"
        onClick={() => input.current?.click()}
      >
        <Icon of={Paperclip} />
      </button>
    </>
  );
}

/** Lets a text field be as high as its text; the style sheet says how high at most. */
export function useGrowth(area: React.RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight}px`;
  }, [area, text]);
}
