import { ArrowDownToLine, Download } from 'lucide-react';
import { useRef, type ReactNode } from 'react';
import { languageName } from '../highlight/languages.js';
import { download } from '../lib/download.js';
import { counted } from '../lib/format.js';
import type { CodePiece } from '../markdown/fences.js';
import { useStickToEnd } from '../room/use-stick-to-end.js';
import { CopyButton } from '../ui/copy-button.js';
import { Icon } from '../ui/icon.js';
import { CodeLines } from './code-lines.js';
import { fileNameOf } from './file-name.js';
import { OutlineList } from './outline-list.js';
import { useCode } from './use-code.js';
import { useWrittenAt } from './use-written-at.js';
import type { Version } from './versions.js';

interface CodePaneProps {
  version: Version;
  /** The one of its files that is shown. */
  file: CodePiece;
  onFile: (index: number) => void;
  /** Chooses among versions. */
  children: ReactNode;
  /** The figures of the answer. */
  figures: ReactNode;
}

/** A file of a version, followed while it is written, and what it defines. */
export function CodePane({ version, file, onFile, children, figures }: CodePaneProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const writing = file.open ? version.writing : null;
  const { lines, outline } = useCode(file.code, file.fence);
  const writtenAt = useWrittenAt(writing, outline);
  const { atEnd, toEnd } = useStickToEnd(scroller, file.code, writing === null);
  // What is being written is the part at the top that the last line belongs to.
  const liveFrom = writing ? (outline.findLast(({ depth }) => depth === 0)?.line ?? 1) : null;
  const percent = version.writing?.progress?.estimatedPercent;
  return (
    <>
      <section className="code-pane" aria-label="Code">
        <header className="pane-header">
          <FileName file={file} files={version.files} onFile={onFile} />
          {children}
          {writing && (
            <button type="button" className="button small follow-button" aria-pressed={atEnd} onClick={toEnd}>
              <Icon of={ArrowDownToLine} size={14} />
              {atEnd ? 'Following' : 'Follow'}
            </button>
          )}
          <CopyButton text={file.code} label="Copy the code" large />
          <button
            type="button"
            className="icon-button"
            aria-label="Download the file"
            title="Download the file"
            onClick={() => {
              download(fileNameOf(file), `${file.code}\n`);
            }}
          >
            <Icon of={Download} />
          </button>
        </header>
        {percent !== undefined && (
          <div className="pane-progress" aria-hidden>
            <i style={{ width: `${percent}%` }} />
          </div>
        )}
        <div className="code-scroll" ref={scroller} tabIndex={0} role="group" aria-label={fileNameOf(file)}>
          <CodeLines lines={lines} liveFrom={liveFrom} caret={writing !== null} />
        </div>
        <footer className="pane-foot">
          {figures}
          <span className="pane-note">
            {writing ? `line ${lines.length}` : counted(lines.length, 'line')}
          </span>
        </footer>
      </section>
      <OutlineList
        entries={outline}
        writtenAt={writtenAt}
        writing={writing !== null}
        onPick={(line) => {
          scroller.current?.querySelector(`[data-line="${line}"]`)?.scrollIntoView({ block: 'center' });
        }}
      />
    </>
  );
}

interface FileNameProps {
  file: CodePiece;
  files: readonly CodePiece[];
  onFile: (index: number) => void;
}

/** What the code is called; of several files of a version the one that is shown, to be chosen. */
function FileName({ file, files, onFile }: FileNameProps) {
  const name = file.file ?? languageName(file.fence);
  return (
    <h2 className="file-name">
      {files.length === 1 ? (
        <span className={file.file ? 'machine' : undefined}>{name}</span>
      ) : (
        <select
          className="machine"
          aria-label="File"
          value={files.indexOf(file)}
          onChange={({ target }) => {
            onFile(Number(target.value));
          }}
        >
          {files.map((one, index) => (
            <option key={index} value={index}>
              {one.file ?? `${languageName(one.fence)} ${index + 1}`}
            </option>
          ))}
        </select>
      )}
      {file.file && <span className="pane-note">{languageName(file.fence)}</span>}
    </h2>
  );
}
