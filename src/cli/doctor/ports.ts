import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Env } from '../../config/env.js';
import { broken, hint, ok, type Finding } from './finding.js';
import { reasonOf } from './reason-of.js';

const timeoutMs = 2000;

/** Whether the ports that the settings name can be listened on, or are in use by this very program. */
export async function checkPorts({ http, worker }: Pick<Env, 'http' | 'worker'>): Promise<Finding[]> {
  const found = [await checkPort('PORT', http.host, http.port)];
  if (worker.port !== undefined) found.push(await checkPort('WORKER_PORT', http.host, worker.port));
  return found;
}

async function checkPort(variable: string, host: string, port: number): Promise<Finding> {
  const error = await whyNot(host, port);
  if (error === undefined) return ok(`${variable} ${port} on ${host} is free`);
  if (error.code === 'EADDRINUSE') {
    if (await isOurs(host, port)) return ok(`${variable} ${port}: Tokencast runs there already`);
    return broken(
      `${variable} ${port} on ${host} is in use by another program`,
      `End that one (lsof -i :${port}), or set ${variable} to another.`,
    );
  }
  if (error.code === 'EACCES')
    return broken(
      `${variable} ${port} is for the administrator`,
      'Take one above 1023, and a proxy in front: docs/operations.md.',
    );
  return hint(
    `${variable} ${port} on ${host}: ${reasonOf(error)}`,
    'HOST has to be an address of this machine.',
  );
}

async function whyNot(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  } finally {
    server.close();
  }
}

/** Whether what listens there has the health of an api or a worker. */
async function isOurs(host: string, port: number): Promise<boolean> {
  const reached = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  try {
    const response = await fetch(`http://${reached}:${port}/healthz`, {
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null && 'status' in body && body.status === 'ok';
  } catch {
    return false;
  }
}
