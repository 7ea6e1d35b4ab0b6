import { inThread } from '../../src/lib/in-thread.js';

interface Work {
  answer?: string;
  fail?: string;
  forever?: boolean;
  fill?: boolean;
}

/** Does what a test of threads needs. */
export default inThread(({ answer = '', fail, forever, fill }: Work): string => {
  if (fail !== undefined) throw new Error(fail);
  const filled: number[][] = [];
  while (forever || fill) if (fill) filled.push(new Array<number>(100_000).fill(Math.random()));
  return answer;
});
