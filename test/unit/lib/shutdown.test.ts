import { EventEmitter } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { createLogger } from '../../../src/lib/logger.js';
import { Shutdown } from '../../../src/lib/shutdown.js';

function start(timeoutMs = 10_000) {
  const signals = new EventEmitter();
  const exit = vi.fn<(code: number) => void>();
  const clock = { ms: 0 };
  const shutdown = new Shutdown({
    log: createLogger({ level: 'silent', role: 'test' }),
    timeoutMs,
    process: signals,
    exit,
    now: () => clock.ms,
  });
  return { signals, exit, clock, shutdown };
}

const never = () => new Promise<void>(() => undefined);

describe('shutdown', () => {
  test('closes in reverse order, one after the other, then exits with 0', async () => {
    const { shutdown, signals, exit } = start();
    const order: string[] = [];
    shutdown.add('first', () => {
      order.push('first');
    });
    shutdown.add('second', async () => {
      order.push('second begins');
      await Promise.resolve();
      order.push('second ends');
    });
    signals.emit('SIGTERM');
    await shutdown.run('again');
    expect(order).toEqual(['second begins', 'second ends', 'first']);
    expect(exit.mock.calls).toEqual([[0]]);
  });

  test('a closer that fails keeps no other from running, and the code is 1', async () => {
    const { shutdown, exit } = start();
    const first = vi.fn();
    shutdown.add('first', first);
    shutdown.add('failing', () => Promise.reject(new Error('no')));
    await shutdown.run('test');
    expect(first).toHaveBeenCalledOnce();
    expect(exit.mock.calls).toEqual([[1]]);
  });

  test('its signal tells a start that is under way', async () => {
    const { shutdown } = start();
    expect(shutdown.signal.aborted).toBe(false);
    await shutdown.run('test', 3);
    expect(shutdown.signal.aborted).toBe(true);
  });

  test('a second signal exits at once with code 1', () => {
    const { shutdown, signals, exit, clock } = start();
    shutdown.add('hanging', never);
    signals.emit('SIGINT');
    clock.ms += 1000;
    signals.emit('SIGINT');
    expect(exit.mock.calls).toEqual([[1]]);
  });

  test('the copy of Ctrl-C that npm forwards is not a second wish', () => {
    const { shutdown, signals, exit, clock } = start();
    shutdown.add('hanging', never);
    signals.emit('SIGINT');
    clock.ms += 20;
    signals.emit('SIGINT');
    expect(exit).not.toHaveBeenCalled();
  });

  test('past the time limit it exits with code 1', async () => {
    const { shutdown, exit } = start(5);
    shutdown.add('hanging', never);
    void shutdown.run('test');
    await vi.waitFor(() => {
      expect(exit.mock.calls).toEqual([[1]]);
    });
  });
});
