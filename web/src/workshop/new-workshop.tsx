import { useMutation } from '@tanstack/react-query';
import { useEffect } from 'react';
import { v4 as uuid } from 'uuid';
import type { User } from '../../../src/client/index.js';
import { titleFrom } from '../lib/format.js';
import { Composer } from '../room/composer.js';
import { outboxOf } from '../room/outboxes.js';
import { RoomHeader } from '../room/room-header.js';
import { navigate, workshopPath } from '../router.js';
import { http } from '../services.js';
import { toastError } from '../ui/toasts.js';
import { CodeEmpty } from './code-empty.js';

/** What the assistant is told in a new workshop; the conversation's settings show it, and can change it. */
const instructions = `You write code in a workshop: people watch it grow in an editor, and what you say stands beside it.
Begin with one or two short sentences about what you do. Then give the whole file in one fenced code block, whose first line names the language and, behind it, the file, such as \`\`\`ts pdf-merger.ts. When a change is asked for, give the whole file anew under the same name.`;

/** A workshop that is yet to be: it is made with the first message. */
export function NewWorkshop({ user }: { user: User }) {
  useEffect(() => {
    document.title = 'Workshop · tokencast';
  }, []);
  const begin = useMutation({
    mutationFn: async (content: string) => {
      const conversation = await http.createConversation(
        { title: titleFrom(content), system: instructions },
        { idempotencyKey: uuid() },
      );
      void outboxOf(conversation.id).add(content);
      return conversation;
    },
    onSuccess: ({ id }) => {
      navigate(workshopPath(id));
    },
    onError: (error) => {
      toastError('Making the workshop', error);
    },
  });
  return (
    <div className="workshop" data-tab="talk">
      <section className="talk room" aria-label="New workshop">
        <RoomHeader title="New workshop" />
        <div className="log-scroll">
          <div className="log-column">
            <div className="greeting">
              <h2>What shall be written, {user.name}?</h2>
              <p>
                Name the language, what it is to do, and what it may use. Everyone you invite watches it grow.
              </p>
            </div>
          </div>
        </div>
        <div className="room-foot">
          <Composer
            draftKey="workshop"
            only="ask"
            placeholder="Generate a class that …"
            busy={begin.isPending}
            onSend={(content) => begin.mutateAsync(content).then(() => undefined)}
          />
        </div>
      </section>
      <CodeEmpty />
    </div>
  );
}
