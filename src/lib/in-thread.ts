import type { MessagePort } from 'node:worker_threads';

/** What the thread of a {@link import('./thread-pool.js').ThreadPool} gets: the work, and where to say that it begins. */
export interface ThreadMessage<Data> {
  data: Data;
  begun: MessagePort;
}

/**
 * Makes a function the default export of a module that a thread pool runs. The clock of its limit starts here, when the
 * thread has started and everything is loaded.
 */
export const inThread =
  <Data, Result>(work: (data: Data) => Result) =>
  ({ data, begun }: ThreadMessage<Data>): Result => {
    begun.postMessage('begun');
    return work(data);
  };
