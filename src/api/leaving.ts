import type { Response } from 'express';

/** Fires when the client has left before its answer; at once where it has left already, since nothing would tell. */
export function signalOfLeaving(res: Response): AbortSignal {
  const gone = new AbortController();
  const leave = () => {
    gone.abort();
  };
  if (res.closed) leave();
  else res.once('close', leave);
  return gone.signal;
}
