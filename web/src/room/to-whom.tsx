import type { User } from '../../../src/client/index.js';

export const assistantName = 'Assistant';

/** Whose question an answer answers. */
export const ToWhom = ({ to }: { to: User | null }) => to && <span className="row-note">to {to.name}</span>;
