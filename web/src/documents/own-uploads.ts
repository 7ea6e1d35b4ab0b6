import { http, noticeRefusal } from '../services.js';
import { Uploads } from './uploads.js';

const perUser = new Map<string, Uploads>();

/** The uploads of a user, the same for as long as the page is open: they go on while one looks at something else. */
export function uploadsOf(userId: string): Uploads {
  const known = perUser.get(userId);
  if (known) return known;
  const made = new Uploads({
    send: (file, { id, signal, onProgress }) =>
      http.uploadDocument(file, { onProgress }, { idempotencyKey: id, signal }),
    onError: noticeRefusal,
  });
  perUser.set(userId, made);
  addEventListener('beforeunload', (event) => {
    if (made.get().some(({ state }) => state.kind === 'sending' || state.kind === 'waiting'))
      event.preventDefault();
  });
  return made;
}
