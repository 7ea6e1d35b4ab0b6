import { Menu } from '@base-ui/react/menu';
import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { Icon } from './icon.js';

interface MenuItemProps {
  icon: LucideIcon;
  bad?: boolean;
  className?: string;
  onClick: () => void;
  children: ReactNode;
}

export function MenuItem({ icon, bad = false, className = '', onClick, children }: MenuItemProps) {
  return (
    <Menu.Item className={`menu-item ${className}`} data-bad={bad} onClick={onClick}>
      <Icon of={icon} />
      {children}
    </Menu.Item>
  );
}
