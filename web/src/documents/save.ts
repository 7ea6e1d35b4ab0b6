import type { DocumentHead } from '../../../src/client/index.js';
import { download } from '../lib/download.js';
import { http, noticeRefusal } from '../services.js';
import { toastError } from '../ui/toasts.js';

/** Gives the reader files of a document. */

type Named = Pick<DocumentHead, 'id' | 'name'>;

const stem = (name: string): string => name.replace(/\.\w{1,8}$/, '') || 'document';

/** What there is of the result, as Markdown. */
export const saveReport = ({ id, name }: Named): Promise<void> =>
  orTell(async () => {
    download(`${stem(name)}-report.md`, await http.getReport(id), 'text/markdown');
  });

/** The document with its sections and its result. */
export const saveJson = ({ id, name }: Named): Promise<void> =>
  orTell(async () => {
    const document = await http.getDocument(id);
    download(`${stem(name)}-report.json`, `${JSON.stringify(document, null, 2)}\n`, 'application/json');
  });

/** The file as it was uploaded. */
export const saveFile = ({ id, name }: Named): Promise<void> =>
  orTell(async () => {
    download(name, await http.getFile(id, { timeoutMs: 600_000 }));
  });

async function orTell(save: () => Promise<void>): Promise<void> {
  try {
    await save();
  } catch (error) {
    noticeRefusal(error);
    toastError('Downloading', error);
  }
}
