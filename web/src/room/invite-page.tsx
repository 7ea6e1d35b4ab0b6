import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { TokencastError } from '../../../src/client/index.js';
import { Link, replacePath, roomPath } from '../router.js';
import { http } from '../services.js';
import { useOwnLists } from '../sidebar/own-lists.js';
import { Notice } from '../ui/notice.js';

/** Where an invitation's link leads: into the room, as one of its members. */
export default function InvitePage({ token }: { token: string }) {
  const { refresh } = useOwnLists();
  // Accepting twice is accepting once: it may be asked for again like any query.
  const { data, error, refetch } = useQuery({
    queryKey: ['accept', token],
    queryFn: ({ signal }) => http.acceptInvite(token, { signal }),
    staleTime: Infinity,
  });
  useEffect(() => {
    if (!data) return;
    refresh();
    replacePath(roomPath(data.id));
  }, [data, refresh]);
  if (!error) return null;
  return error instanceof TokencastError && error.retryable ? (
    <Notice title="The invitation could not be accepted">
      <p>{error.detail}</p>
      <button type="button" className="text-button" onClick={() => void refetch()}>
        Try again
      </button>
    </Notice>
  ) : (
    <Notice title="This invitation is no longer good">
      <p>It may have ended, or its conversation was deleted. Ask for a new one.</p>
      <Link href="/">Start a conversation</Link>
    </Notice>
  );
}
