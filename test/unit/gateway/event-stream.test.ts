import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import type { Request, Response } from 'express';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Session } from '../../../src/domain/session.js';
import { EventStream, type StreamHost } from '../../../src/gateway/event-stream.js';
import { Frame } from '../../../src/gateway/frame.js';

/** As much of an answer as a stream touches. */
class FakeResponse extends EventEmitter {
  headersSent = false;
  destroyed = false;
  closed = false;
  writableLength = 0;
  ended = false;
  readonly written: string[] = [];

  status(): this {
    return this;
  }

  set(): this {
    return this;
  }

  flushHeaders(): void {
    this.headersSent = true;
  }

  write(text: string): boolean {
    this.written.push(text);
    return true;
  }

  end(): void {
    this.ended = true;
  }
}

const request: Pick<Request, 'socket'> = { socket: new Socket() };

function open({
  expiresAt = null,
  gone = {},
}: { expiresAt?: Date | null; gone?: Partial<FakeResponse> } = {}) {
  const response = Object.assign(new FakeResponse(), gone);
  const host: StreamHost = { maxPendingBytes: 100, stalledMs: 60_000, streams: new Set() };
  const session: Session = { user: { id: 'ada', name: 'Ada' }, sessionId: null, expiresAt };
  const stream = new EventStream(request as Request, response as unknown as Response, session, host);
  stream.open();
  const beginning = response.written.splice(0);
  return { stream, response, host, beginning };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('an event stream', () => {
  test('begins with a comment at once, so that its client sees that nothing holds it back', () => {
    expect(open().beginning).toEqual([': \n\n']);
    expect(open({ gone: { destroyed: true } }).beginning).toEqual([]);
  });

  test('sends a comment every 15 s, until it is closed', () => {
    const { stream, response } = open();
    vi.advanceTimersByTime(14_999);
    expect(response.written).toEqual([]);
    vi.advanceTimersByTime(30_001);
    expect(response.written).toEqual([': \n\n', ': \n\n', ': \n\n']);
    stream.close();
    vi.advanceTimersByTime(60_000);
    expect(response.written).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('sends no sign of life to a client that takes nothing', () => {
    const { response } = open();
    response.writableLength = 101;
    vi.advanceTimersByTime(60_000);
    expect(response.written).toEqual([]);
  });

  test('ends with session.expired when its token ends', () => {
    const { stream, response, host } = open({ expiresAt: new Date(Date.now() + 1000) });
    vi.advanceTimersByTime(1000);
    expect(response.written.join('')).toMatch(
      /^event: session\.expired\ndata: \{"type":"session\.expired",.*\}\n\n$/,
    );
    expect(response.ended).toBe(true);
    expect(stream.closed).toBe(true);
    expect(host.streams.size).toBe(0);
  });

  test('is behind while more waits than may, and lets go of who waits when it drains or closes', async () => {
    const { stream, response } = open();
    await stream.drained();
    response.writableLength = 101;
    let drained = 0;
    const waiting = [stream.drained(), stream.drained()].map((each) => each.then(() => (drained += 1)));
    await Promise.resolve();
    expect(drained).toBe(0);
    response.writableLength = 0;
    response.emit('drain');
    await Promise.all(waiting);
    response.writableLength = 101;
    const last = stream.drained();
    response.emit('close');
    await last;
    expect(stream.closed).toBe(true);
  });

  test('holds nothing for a client that left before it was opened', () => {
    const closer = vi.fn();
    for (const gone of [{ destroyed: true }, { closed: true }]) {
      const { stream, response, host } = open({ gone });
      stream.onClose(closer);
      stream.send(new Frame('presence', undefined, '{"type":"presence"}'));
      expect(stream.closed).toBe(true);
      expect(response.written).toEqual([]);
      expect(host.streams.size).toBe(0);
    }
    expect(closer).toHaveBeenCalledTimes(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('lets go of everything once, however often it ends', () => {
    const { stream, response } = open();
    const closed = vi.fn();
    stream.onClose(closed);
    stream.end();
    stream.close();
    response.emit('close');
    expect(closed).toHaveBeenCalledTimes(1);
    stream.onClose(closed);
    expect(closed).toHaveBeenCalledTimes(2);
    stream.send(new Frame('presence', undefined, '{"type":"presence"}'));
    expect(response.written).toEqual([]);
  });
});
