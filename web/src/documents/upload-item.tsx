import { CircleAlert, RotateCcw, X } from 'lucide-react';
import { Icon } from '../ui/icon.js';
import type { Upload, Uploads } from './uploads.js';
import { sizeOfSize } from './words.js';

/** A file on its way, with how much of it is sent; a refused one says why. */
export function UploadItem({ upload, uploads }: { upload: Upload; uploads: Uploads }) {
  const { id, file, state } = upload;
  const isRefused = state.kind === 'refused';
  const percent = percentOf(upload);
  return (
    <li className="document-item upload-item" data-testid="upload" data-state={state.kind}>
      <div className="item-main">
        <span className="item-name">{file.name}</span>
        {isRefused ? (
          <span className="item-words" data-tone="bad" role="alert">
            <Icon of={CircleAlert} size={14} />
            <span>{state.words}</span>
          </span>
        ) : (
          <span className="item-words">{wordsOf(upload, percent)}</span>
        )}
        {!isRefused && (
          <span
            className="item-bar ink"
            role="progressbar"
            aria-label={`Upload of ${file.name}`}
            aria-valuenow={percent}
          >
            <i style={{ width: `${percent}%` }} />
          </span>
        )}
      </div>
      <div className="item-actions">
        {isRefused && state.mayRetry && (
          <button
            type="button"
            className="button small"
            onClick={() => {
              uploads.retry(id);
            }}
          >
            <Icon of={RotateCcw} size={14} />
            Retry
          </button>
        )}
        <button
          type="button"
          className="icon-button small"
          aria-label={isRefused ? `Dismiss ${file.name}` : `Cancel the upload of ${file.name}`}
          title={isRefused ? 'Dismiss' : 'Cancel the upload'}
          onClick={() => {
            uploads.remove(id);
          }}
        >
          <Icon of={X} size={14} />
        </button>
      </div>
    </li>
  );
}

function percentOf({ file, state }: Upload): number {
  if (state.kind === 'reading') return 100;
  return state.kind === 'sending' ? Math.floor((100 * state.sentBytes) / Math.max(1, file.size)) : 0;
}

function wordsOf({ file, state }: Upload, percent: number): string {
  switch (state.kind) {
    case 'waiting':
      return 'Waits to be uploaded';
    case 'sending':
      return `Uploading ${percent} %, ${sizeOfSize(state.sentBytes, file.size)}`;
    default:
      return 'Uploaded, being read';
  }
}
