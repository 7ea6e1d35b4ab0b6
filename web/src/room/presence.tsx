import { counted } from '../lib/format.js';
import { Avatar } from '../ui/avatar.js';
import { onDemand } from '../ui/on-demand.js';
import type { PresenceProps } from './members-popup.js';

const shownAvatars = 5;
/** More windows than this are written as a number. */
const maxTicks = 4;

const Members = onDemand(() => import('./members-popup.js'), {
  popup: 'dialog',
  name: 'The list of members',
});

/** Who is here: avatars with a tick for each window; behind them all who take part. */
export function Presence(props: PresenceProps) {
  const { users, user } = props;
  if (users.length === 0) return null;
  const rest = users.length - shownAvatars;
  return (
    <Members
      {...props}
      trigger={
        <button
          type="button"
          className="presence"
          aria-label={`${counted(users.length, 'person', 'people')} here`}
        >
          {users.slice(0, shownAvatars).map((one) => (
            <span key={one.id} className="present" data-own={one.id === user.id} data-testid="present">
              <Avatar user={one} />
              <WindowTicks count={one.connections} />
            </span>
          ))}
          {rest > 0 && <span className="present-rest" data-text={`+${rest}`} />}
        </button>
      }
    />
  );
}

function WindowTicks({ count }: { count: number }) {
  if (count > maxTicks) return <span className="window-count" data-text={count} />;
  return (
    <span className="window-ticks" aria-hidden>
      {Array.from({ length: count }, (_, index) => (
        <i key={index} />
      ))}
    </span>
  );
}
