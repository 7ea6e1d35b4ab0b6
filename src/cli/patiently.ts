import { patiently as untilAnswered } from '../client/index.js';

/** Asks again while the server is away, busy, or wants one to wait. @throws the last error; the signal's reason */
export const patiently = <T>(action: () => Promise<T>, signal?: AbortSignal, maxTries = 8): Promise<T> =>
  untilAnswered(action, { maxTries, ...(signal && { signal }) });
