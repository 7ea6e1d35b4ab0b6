import { createConnection, type Socket } from 'node:net';

/** Where on this machine something is asked for. */
export interface Place {
  port: number;
  path: string;
}

/** What is done with a raw answer. */
export interface AnswerListener {
  /** The answer has begun, with the status that is wanted. */
  onOpen?: () => void;
  /** What stands behind its head, as it comes. */
  onData: (data: Buffer) => void;
  /** Any other status, a connection that breaks or that the server closes. */
  onFailed: (error: Error) => void;
}

/** Asks over a connection of its own, with as little work as can be, so that a server is what is measured. */
export function ask(
  { port, path }: Place,
  headers: readonly string[],
  wantedStatus: number,
  { onOpen, onData, onFailed }: AnswerListener,
): Socket {
  const socket = createConnection({ port, host: '127.0.0.1', noDelay: true });
  socket.write([`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...headers, '', ''].join('\r\n'));
  let head: Buffer | undefined = Buffer.alloc(0);
  socket.on('data', (data) => {
    if (!head) {
      onData(data);
      return;
    }
    head = Buffer.concat([head, data]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const [text, rest] = [head.toString('latin1', 0, end), head.subarray(end + 4)];
    head = undefined;
    if (!text.startsWith(`HTTP/1.1 ${wantedStatus} `)) {
      socket.destroy(new Error(`${path} is answered with ${text}`));
      return;
    }
    onOpen?.();
    if (rest.length > 0) onData(rest);
  });
  socket.once('error', onFailed);
  socket.once('close', () => {
    onFailed(new Error(`${path} was closed`));
  });
  return socket;
}
