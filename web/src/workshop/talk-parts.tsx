import { createContext, use } from 'react';
import type { LiveGeneration } from '../../../src/client/index.js';
import { counted } from '../lib/format.js';
import type { AnswerLook } from '../room/answer-look.js';
import { ProgressBar, progressWords } from '../room/progress-bar.js';
import type { Version } from './versions.js';

interface Choice {
  versions: readonly Version[];
  /** The answer whose code is shown. */
  chosenId: string | null;
  choose: (answerId: string) => void;
}

/** Which version is shown, and how to choose another. */
export const ChoiceContext = createContext<Choice>({
  versions: [],
  chosenId: null,
  choose: () => undefined,
});

/** Which version an answer is; choosing it shows its code. */
function VersionNote({ answerId }: { answerId: string }) {
  const { versions, chosenId, choose } = use(ChoiceContext);
  const version = versions.find((one) => one.answerId === answerId);
  if (!version) return null;
  const lines = version.files.reduce((sum, { code }) => sum + code.split('\n').length, 0);
  return (
    <button
      type="button"
      className="version-note"
      aria-pressed={answerId === chosenId}
      onClick={() => {
        choose(answerId);
      }}
    >
      version {version.number}
      {!version.writing && `, ${counted(lines, 'line')}`}
    </button>
  );
}

/** What is being written at this moment. */
function TalkProgress({ generation: { progress } }: { generation: LiveGeneration }) {
  const stage = progress?.stage;
  return (
    <span className="status-words">
      Writing {stage ? <span className="machine">{stage}</span> : 'an answer'}
    </span>
  );
}

/** How far an answer is, as a figure and a bar. */
function TalkPercent({ generation: { progress, options } }: { generation: LiveGeneration }) {
  if (!progress) return null;
  return (
    <>
      <p className="talk-percent">
        <b>{progress.estimatedPercent} %</b> {progressWords(progress, options.maxTokens)}
      </p>
      <ProgressBar progress={progress} maxTokens={options.maxTokens} />
    </>
  );
}

/** Answers beside the code that they have made. */
export const talkLook: AnswerLook = { Note: VersionNote, Progress: TalkProgress, Percent: TalkPercent };
