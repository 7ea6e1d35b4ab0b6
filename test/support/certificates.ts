import { execFile } from 'node:child_process';
import { chmod, chown } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const openssl = (...args: string[]) => promisify(execFile)('openssl', args);

export interface Certificates {
  /** Paths of PEM files. */
  ca: string;
  server: { cert: string; key: string };
  client: { cert: string; key: string };
}

/** An authority of the test's own, a server at `localhost` and 127.0.0.1, and a client. `openssl` is needed. */
export async function makeCertificates(dir: string): Promise<Certificates> {
  const file = (name: string) => join(dir, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const ca = file('ca.crt');
  await openssl(
    'req',
    '-x509',
    ...newKey,
    '-subj',
    '/CN=test authority',
    '-keyout',
    file('ca.key'),
    '-out',
    ca,
  );
  const issue = async (name: string, names: string) => {
    const [cert, key] = [file(`${name}.crt`), file(`${name}.key`)];
    await openssl(
      ...['req', '-x509', ...newKey, '-CA', ca, '-CAkey', file('ca.key'), '-subj', `/CN=${name}`],
      ...['-addext', `subjectAltName=${names}`, '-addext', 'basicConstraints=critical,CA:FALSE'],
      ...['-keyout', key, '-out', cert],
    );
    return { cert, key };
  };
  const server = await issue('server', 'DNS:localhost,IP:127.0.0.1');
  const client = await issue('client', 'DNS:client');
  return { ca, server, client };
}

/** Lets the Postgres of the tests read a key, which under root runs as nobody: it wants to own it, or to share it with root alone. */
export async function giveKeyToPostgres(key: string): Promise<void> {
  if (process.getuid?.() === 0) {
    await chown(key, 0, 65_534);
    await chmod(key, 0o640);
  } else await chmod(key, 0o600);
}
