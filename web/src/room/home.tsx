import { useMutation } from '@tanstack/react-query';
import { useEffect } from 'react';
import { v4 as uuid } from 'uuid';
import type { User } from '../../../src/client/index.js';
import { titleFrom } from '../lib/format.js';
import { navigate, roomPath } from '../router.js';
import { http } from '../services.js';
import { toastError } from '../ui/toasts.js';
import { Composer } from './composer.js';
import { Greeting } from './greeting.js';
import { outboxOf } from './outboxes.js';
import { RoomHeader } from './room-header.js';

/** A conversation that is yet to be: it is made with the first message. */
export function Home({ user }: { user: User }) {
  useEffect(() => {
    document.title = 'tokencast';
  }, []);
  const begin = useMutation({
    mutationFn: async ({ content, remark }: { content: string; remark: boolean }) => {
      const conversation = await http.createConversation(
        { title: titleFrom(content) },
        { idempotencyKey: uuid() },
      );
      void outboxOf(conversation.id).add(content, { remark });
      return conversation;
    },
    onSuccess: ({ id }) => {
      navigate(roomPath(id));
    },
    onError: (error) => {
      toastError('Making the conversation', error);
    },
  });
  return (
    <section className="room" aria-label="New conversation">
      <RoomHeader title="New conversation" />
      <div className="log-scroll">
        <div className="log-column">
          <Greeting user={user} />
        </div>
      </div>
      <div className="room-foot">
        <Composer
          draftKey="new"
          busy={begin.isPending}
          onSend={(content, remark) => begin.mutateAsync({ content, remark }).then(() => undefined)}
        />
      </div>
    </section>
  );
}
