import { Settings2 } from 'lucide-react';
import type { Budget, User } from '../../../src/client/index.js';
import { BudgetBar } from '../budget/budget-bar.js';
import { useBudget } from '../budget/use-budget.js';
import { shortUsd, sumUsd } from '../lib/format.js';
import { Avatar } from '../ui/avatar.js';
import { Icon } from '../ui/icon.js';
import { UserMenu } from './user-menu.js';

/** Who one is here, and what was spent today. */
export function UserFoot({ user }: { user: User }) {
  const budget = useBudget();
  return (
    <div className="sidebar-user" data-testid="current-user">
      <Avatar user={user} />
      <div className="sidebar-person">
        <span className="sidebar-name">{user.name}</span>
        {budget && <Spent budget={budget} />}
        {budget && <BudgetBar budget={budget} />}
      </div>
      <UserMenu
        trigger={
          <button type="button" className="icon-button small" aria-label="Settings" title="Settings">
            <Icon of={Settings2} />
          </button>
        }
      />
    </div>
  );
}

function Spent({ budget: { spentUsd, limitUsd } }: { budget: Budget }) {
  if (limitUsd === null) return spentUsd > 0 && <span className="spent">{sumUsd(spentUsd)} today</span>;
  return (
    <span className="spent" data-testid="spent">
      <b>{sumUsd(spentUsd)}</b> of {shortUsd(limitUsd)}
    </span>
  );
}
