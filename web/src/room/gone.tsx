import { Link } from '../router.js';
import { Notice } from '../ui/notice.js';
import type { Goneness } from './use-conversation.js';

/** In the place of a conversation that can no longer be shown. */
export function Gone({ why }: { why: Goneness }) {
  return (
    <Notice title={titleOf(why)}>
      {typeof why !== 'string' && (
        <p>
          {why.code === 'not_found' || why.code === 'forbidden'
            ? 'It may have been deleted, or you are not a member of it.'
            : why.detail}
        </p>
      )}
      <Link href="/">Start a conversation</Link>
    </Notice>
  );
}

function titleOf(why: Goneness): string {
  if (why === 'deleted') return 'This conversation was deleted';
  return why === 'left' ? 'You are no longer a member of this conversation' : 'There is no such conversation';
}
