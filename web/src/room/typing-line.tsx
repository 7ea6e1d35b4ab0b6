import { useEffect, useState } from 'react';
import type { Typist, User } from '../../../src/client/index.js';
import { Avatar } from '../ui/avatar.js';

/** The server ends typing after 5 s; where that is not heard, it ends here. */
const endsAfterMs = 6000;

/** Who else writes at this moment. Its place is kept free, so that nothing jumps. */
export function TypingLine({ typing, user }: { typing: readonly Typist[]; user: User }) {
  const [ended, setEnded] = useState<readonly Typist[]>([]);
  useEffect(() => {
    if (typing.length === 0) return;
    const timer = setTimeout(() => {
      setEnded(typing);
    }, endsAfterMs);
    return () => {
      clearTimeout(timer);
    };
  }, [typing]);
  const others = typing.filter((typist) => typist.user.id !== user.id && !ended.includes(typist));
  const [first, second] = others;
  if (!first) return <div className="typing-line" data-testid="typing" />;
  const names = second ? `${first.user.name} and ${second.user.name}` : first.user.name;
  return (
    <div className="typing-line" data-testid="typing">
      <Avatar user={first.user} short />
      {others.length > 2 ? `${others.length} people are typing` : `${names} ${second ? 'are' : 'is'} typing`}
      <span className="typing-dots quiet" aria-hidden>
        <i />
        <i />
        <i />
      </span>
    </div>
  );
}
