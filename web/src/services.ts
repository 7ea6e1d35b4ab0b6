import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { TokencastError, TokencastHttp } from '../../src/client/index.js';
import { SessionStore } from './session/session-store.js';

/** What the page is made of beside its views: one of each for the life of the page. */
export const session = new SessionStore();

export const getToken = (): string | null => session.get()?.token ?? null;

export const http = new TokencastHttp({ getToken });

let renewing: Promise<void> | null = null;

/** Takes a fresh token of the same user. Who asks while one is on its way gets the same. */
export function renewSession(): Promise<void> {
  renewing ??= http
    .refreshSession()
    .then((made) => {
      session.take(made);
    })
    .finally(() => {
      renewing = null;
    });
  return renewing;
}

/** A token that is no longer taken ends the session, wherever it is noticed. */
export function noticeRefusal(error: unknown): void {
  if (error instanceof TokencastError && error.code === 'unauthenticated') session.forget();
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noticeRefusal }),
  mutationCache: new MutationCache({ onError: noticeRefusal }),
  defaultOptions: {
    queries: {
      networkMode: 'always',
      retry: (failures, error) => failures < 3 && error instanceof TokencastError && error.retryable,
    },
    mutations: { networkMode: 'always' },
  },
});
