import { Check, ChevronRight, CircleAlert } from 'lucide-react';
import { useState } from 'react';
import { seconds } from '../lib/format.js';
import { Icon } from '../ui/icon.js';
import { inputWords, type ToolOutput, type ToolUse } from './tool-output.js';

interface ToolCallProps {
  call: ToolUse;
  /** Null: it has not come back. */
  output: ToolOutput | null;
  /** From the call to its result; null: not known. */
  tookMs: number | null;
}

/** A tool that the assistant called: with what, and what came back. Folded where there is little room. */
export function ToolCall({ call, output, tookMs }: ToolCallProps) {
  const [open] = useState(() => matchMedia('(min-width: 600px)').matches);
  return (
    <details className="tool" open={open} data-testid="tool-call">
      <summary>
        <Icon of={ChevronRight} size={14} />
        <span className="tool-name machine">{call.name}</span>
        {tookMs !== null && <span className="tool-took">{seconds(tookMs)}</span>}
        <span className="tool-hint">{output?.text.split('\n', 1)[0]}</span>
        <ToolState output={output} />
      </summary>
      <dl>
        <dt>Input</dt>
        <dd className="machine">{inputWords(call)}</dd>
        {output && (
          <>
            <dt>{output.isError ? 'Error' : 'Result'}</dt>
            <dd className="machine" data-bad={output.isError}>
              {output.text}
            </dd>
          </>
        )}
      </dl>
    </details>
  );
}

function ToolState({ output }: { output: ToolOutput | null }) {
  if (!output) return <span className="tool-state">called</span>;
  return (
    <span className="tool-state" data-bad={output.isError}>
      <Icon of={output.isError ? CircleAlert : Check} size={14} />
      <span className="visually-hidden">{output.isError ? 'failed' : 'done'}</span>
    </span>
  );
}
