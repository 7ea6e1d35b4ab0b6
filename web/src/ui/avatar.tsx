import type { User } from '../../../src/client/index.js';
import { initials } from '../lib/format.js';
import { BrandMark } from './brand-mark.js';
import { tintOf } from './tint.js';

interface AvatarProps {
  user: User;
  hollow?: boolean;
  /** One letter, where it is small. */
  short?: boolean;
}

/** A person: filled when here, hollow when gone or when what they wrote is not accepted yet. */
export function Avatar({ user, hollow = false, short = false }: AvatarProps) {
  return (
    <span
      className="avatar"
      data-tint={hollow ? undefined : tintOf(user.id)}
      data-hollow={hollow}
      // Drawn, not written: letters of a picture are no text to select, read aloud or find.
      data-text={initials(user.name, short ? 1 : 2)}
      aria-hidden
    />
  );
}

/** The assistant: green while it writes. */
export function AssistantAvatar({ writing }: { writing: boolean }) {
  return (
    <span className="avatar assistant" data-writing={writing} aria-hidden>
      <BrandMark />
    </span>
  );
}
