import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type JWTPayload } from 'jose';

export const audience = 'chat';
export const issuer = 'https://app.example';
/** HS256, shared with the api. */
export const sharedSecret = 'a secret of the host application, of 32 bytes and more';

/** An application whose users come with tokens of its own: it publishes its public key, and signs. */
export interface HostApplication {
  jwksUrl: string;
  /** What everybody may read. */
  publicKey: { pem: string; jwk: string };
  /** A good token (RS256, ten minutes) but for what is given otherwise; undefined leaves a claim out. */
  sign(claims: JWTPayload, header?: { alg: string }): Promise<string>;
  close(): Promise<void>;
}

export async function startHostApplication(): Promise<HostApplication> {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256' };
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    publicKey: { pem: await exportSPKI(publicKey), jwk: JSON.stringify(jwk) },
    sign: (claims, { alg } = { alg: 'RS256' }) => {
      const now = Math.floor(Date.now() / 1000);
      const all = {
        sub: 'ada',
        name: 'Ada',
        aud: audience,
        iss: issuer,
        iat: now,
        exp: now + 600,
        ...claims,
      };
      const token = new SignJWT(all).setProtectedHeader({ alg, kid: 'one' });
      return token.sign(alg === 'HS256' ? new TextEncoder().encode(sharedSecret) : privateKey);
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await Promise.resolve();
    },
  };
}
