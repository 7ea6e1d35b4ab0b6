import { ChartNoAxesColumn, Code, FileText, type LucideIcon } from 'lucide-react';
import type { Route } from '../router.js';

interface Place {
  page: Route['page'];
  path: string;
  name: string;
  icon: LucideIcon;
}

/** Where one can go besides conversations. */
export const places: readonly Place[] = [
  { page: 'documents', path: '/documents', name: 'Documents', icon: FileText },
  { page: 'workshop', path: '/workshop', name: 'Workshop', icon: Code },
  { page: 'usage', path: '/usage', name: 'Usage', icon: ChartNoAxesColumn },
];
