import type { ComponentProps, MouseEvent } from 'react';
import { useSyncExternalStore } from 'react';

/** What the address says. */
export type Route =
  | { page: 'home' }
  | { page: 'room'; conversationId: string }
  | { page: 'invite'; token: string }
  /** `conversationId` null: what is to be written there is yet to be said. */
  | { page: 'workshop'; conversationId: string | null }
  /** `documentId` null: none is open. */
  | { page: 'documents'; documentId: string | null }
  | { page: 'usage' }
  | { page: 'unknown' };

/** The route of a path. */
export function parsePath(path: string): Route {
  if (path === '/' || path === '') return { page: 'home' };
  if (/^\/usage\/?$/.test(path)) return { page: 'usage' };
  if (/^\/workshop\/?$/.test(path)) return { page: 'workshop', conversationId: null };
  if (/^\/documents\/?$/.test(path)) return { page: 'documents', documentId: null };
  const documentId = /^\/documents\/([0-9a-f-]{36})\/?$/.exec(path)?.[1];
  if (documentId) return { page: 'documents', documentId };
  const [, place, id] = /^\/(c|workshop)\/([0-9a-f-]{36})\/?$/.exec(path) ?? [];
  if (id) return { page: place === 'c' ? 'room' : 'workshop', conversationId: id };
  const token = /^\/invite\/([\w.-]{1,200})\/?$/.exec(path)?.[1];
  return token ? { page: 'invite', token } : { page: 'unknown' };
}

export const workshopPath = (conversationId: string): string => `/workshop/${conversationId}`;

/** `section`: from 0, to be shown at once. */
export const documentPath = (documentId: string, section?: number): string =>
  `/documents/${documentId}${section === undefined ? '' : `#section-${section + 1}`}`;

export const roomPath = (conversationId: string): string => `/c/${conversationId}`;

/** The conversation that a route shows; null: none. */
export const conversationOf = (route: Route): string | null =>
  'conversationId' in route ? route.conversationId : null;

const navigated = 'tokencast:navigated';

/** Goes to a path of this page without loading it anew. */
export function navigate(path: string): void {
  history.pushState(null, '', path);
  dispatchEvent(new Event(navigated));
}

/** The same in place of the path of now, which is not come back to. */
export function replacePath(path: string): void {
  history.replaceState(null, '', path);
  dispatchEvent(new Event(navigated));
}

function subscribe(listener: () => void): () => void {
  addEventListener('popstate', listener);
  addEventListener(navigated, listener);
  return () => {
    removeEventListener('popstate', listener);
    removeEventListener(navigated, listener);
  };
}

export function useRoute(): Route {
  return parsePath(useSyncExternalStore(subscribe, () => location.pathname));
}

/** What the address names behind its path, such as `#section-3`. */
export const useHash = (): string => useSyncExternalStore(subscribe, () => location.hash);

/** A link inside the page; new tabs and modified clicks stay the browser's. */
export function Link({ href, onClick, ...rest }: ComponentProps<'a'> & { href: string }) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(href);
  };
  return <a {...rest} href={href} onClick={follow} />;
}
