import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { copyText } from './copy-text.js';
import { Icon } from './icon.js';

const shownMs = 1500;

/** Copies on click; `copied` stands for a moment, for a check in place of the icon. */
export function useCopy(text: string): { copied: boolean; copy: () => void } {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => {
      setCopied(false);
    }, shownMs);
    return () => {
      clearTimeout(timer);
    };
  }, [copied]);
  return { copied, copy: () => void copyText(text).then(setCopied) };
}

interface CopyButtonProps {
  text: string;
  label: string;
  large?: boolean;
}

export function CopyButton({ text, label, large = false }: CopyButtonProps) {
  const { copied, copy } = useCopy(text);
  return (
    <button
      type="button"
      className={large ? 'icon-button' : 'icon-button small'}
      aria-label={copied ? 'Copied' : label}
      title={label}
      onClick={copy}
    >
      <Icon of={copied ? Check : Copy} size={large ? 16 : 14} />
    </button>
  );
}
