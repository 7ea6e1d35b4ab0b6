import { Clock } from 'lucide-react';
import type { ConnectionState } from '../../../src/client/index.js';
import { counted, timeLeft } from '../lib/format.js';
import { useNow } from '../lib/use-now.js';
import { Icon } from '../ui/icon.js';

type Look = 'live' | 'connecting' | 'reconnecting' | 'offline' | 'caught-up' | 'ending';

function describe(connection: ConnectionState, now: number): { look: Look; words: string } {
  switch (connection.state) {
    case 'connecting':
      return { look: 'connecting', words: 'Connecting' };
    case 'live': {
      const { caughtUp, sessionEndsAt } = connection;
      if (sessionEndsAt !== null)
        return { look: 'ending', words: `Session ends in ${timeLeft(sessionEndsAt - now)}` };
      if (!caughtUp) return { look: 'live', words: 'Live' };
      const { events } = caughtUp;
      return {
        look: 'caught-up',
        words: events === null ? 'Caught up' : `Caught up, ${counted(events, 'event')}`,
      };
    }
    case 'reconnecting':
      return { look: 'reconnecting', words: `Reconnecting in ${timeLeft(connection.retryAt - now)}` };
    case 'offline':
      return { look: 'offline', words: 'Offline' };
    case 'closed':
      return { look: 'offline', words: 'Closed' };
  }
}

const counts = (connection: ConnectionState): boolean =>
  connection.state === 'reconnecting' || (connection.state === 'live' && connection.sessionEndsAt !== null);

interface ConnectionMarkProps {
  connection: ConnectionState;
  onRetry: () => void;
  /** `bar`: under the header of narrow screens, only there when not live. */
  as: 'pill' | 'bar';
}

/** How the connection stands, as a mark and in words. While it is away a click tries at once. */
export function ConnectionMark({ connection, onRetry, as }: ConnectionMarkProps) {
  const isAway = connection.state === 'reconnecting' || connection.state === 'offline';
  const { look, words } = describe(connection, useNow(counts(connection), 250));
  const content = (
    <>
      {look === 'ending' ? <Icon of={Clock} size={14} /> : <span className="connection-glyph" />}
      <span>{words}</span>
    </>
  );
  if (as === 'bar') {
    if (look === 'live') return null;
    return (
      <div className="connection-bar" data-look={look}>
        {content}
        {isAway && (
          <button type="button" className="text-button" onClick={onRetry}>
            Try now
          </button>
        )}
      </div>
    );
  }
  return isAway ? (
    <button
      type="button"
      className="connection"
      data-testid="connection"
      data-look={look}
      title="Try now"
      onClick={onRetry}
    >
      {content}
    </button>
  ) : (
    <span className="connection" data-testid="connection" data-look={look}>
      {content}
    </span>
  );
}
