import { createSecretKey, randomUUID } from 'node:crypto';
import {
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  SignJWT,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import { LRUCache } from 'lru-cache';
import type { User } from '../domain/conversation.js';
import { AppError } from '../domain/errors.js';
import type { Authenticate } from '../domain/session.js';

export interface AuthOptions {
  /** `guest`: anyone may take a session under a name; `jwt`: tokens come from the host application. */
  mode: 'guest' | 'jwt';
  /** HS256 secret. Guest mode needs it. */
  secret?: string | undefined;
  /** In jwt mode: where the host application publishes its public keys. */
  jwksUrl?: string | undefined;
  audience?: string | undefined;
  issuer?: string | undefined;
}

export interface Auth {
  mode: AuthOptions['mode'];
  /** Makes a token for a guest, which is good for 30 days. Throws `not_found` in jwt mode. */
  issue(user: User): Promise<{ token: string; expiresAt: Date }>;
  /** Checks a token. @throws AppError unauthenticated, unavailable (the keys cannot be fetched) */
  authenticate: Authenticate;
}

const guestDays = 30;
const clockToleranceSeconds = 5;
/** Tokens of so many callers are known again, so that many who come back at once cost no signatures. */
const knownTokens = 5000;
/** Longer ones are not remembered, in characters: a signature leaves room for blanks. */
const maxKnownLength = 2048;
const maxUserIdLength = 200;
const maxNameLength = 200;
/** The last time that a Date can hold. */
const maxTimeMs = 8.64e15;

/** Public keys are never tried on symmetric algorithms, nor the other way round; `none` is in neither list. */
const secretAlgorithms = ['HS256'];
const publicKeyAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']; // prettier-ignore

/** Who the callers are. */
export function createAuth({ mode, secret, jwksUrl, audience, issuer }: AuthOptions): Auth {
  const key = secret ? createSecretKey(secret, 'utf8') : undefined;
  const publicKeys = mode === 'jwt' && jwksUrl ? fetchedKeys(new URL(jwksUrl)) : undefined;
  const claims = {
    clockTolerance: clockToleranceSeconds,
    ...(mode === 'jwt' && audience !== undefined && { audience }),
    ...(mode === 'jwt' && issuer !== undefined && { issuer }),
    ...(mode === 'guest' && { requiredClaims: ['exp', 'jti'] }),
  };

  /** Only of the secret, which stays: the host application may take a key of its own back. */
  const known = new LRUCache<string, JWTPayload>({ max: knownTokens });

  async function verify(token: string): Promise<JWTPayload> {
    const payload = known.get(token);
    if (payload && isCurrent(payload)) return payload;
    const { alg = 'none' } = decodeProtectedHeader(token);
    if (key && secretAlgorithms.includes(alg)) {
      const { payload } = await jwtVerify(token, key, { ...claims, algorithms: secretAlgorithms });
      if (token.length <= maxKnownLength) known.set(token, payload);
      return payload;
    }
    if (publicKeys)
      return (await jwtVerify(token, publicKeys, { ...claims, algorithms: publicKeyAlgorithms })).payload;
    throw new errors.JOSEAlgNotAllowed('no key for this algorithm');
  }

  return {
    mode,
    issue: async (user) => {
      if (mode !== 'guest' || !key) throw new AppError('not_found', 'Sessions come from the application.');
      const expiresAt = new Date(Math.floor(Date.now() / 1000 + guestDays * 86_400) * 1000);
      const token = await new SignJWT({ name: user.name })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(user.id)
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime(expiresAt)
        .sign(key);
      return { token, expiresAt };
    },
    authenticate: async (token) => {
      const payload = await verify(token).catch((cause: unknown) => {
        if (cause instanceof AppError) throw cause;
        const expired = cause instanceof errors.JWTExpired;
        throw new AppError(
          'unauthenticated',
          expired ? 'The token has expired.' : 'The token is not valid.',
          {
            cause,
          },
        );
      });
      return {
        user: toUser(payload),
        sessionId: isStorable(payload.jti) ? payload.jti : null,
        expiresAt: payload.exp === undefined ? null : new Date(Math.min(payload.exp * 1000, maxTimeMs)),
      };
    },
  };
}

/** What held once does so until then. */
const isCurrent = ({ exp = Infinity }: JWTPayload) => exp + clockToleranceSeconds > Date.now() / 1000;

function toUser({ sub, name }: JWTPayload): User {
  if (!isStorable(sub) || sub === '' || sub.length > maxUserIdLength)
    throw new AppError('unauthenticated', 'The token names no user.');
  const shown = isStorable(name) ? name.trim().slice(0, maxNameLength).toWellFormed() : '';
  return { id: sub, name: shown || sub };
}

/** A claim may be of any type. Postgres holds no NUL, and JSON no half of a surrogate pair. */
const isStorable = (claim: unknown): claim is string =>
  typeof claim === 'string' && !claim.includes('\0') && claim.isWellFormed();

/** The host application's keys. That they cannot be had says nothing about the token. */
function fetchedKeys(url: URL): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(url, { timeoutDuration: 900, cooldownDuration: 10_000 });
  const aboutToken = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported];
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (cause) {
      if (aboutToken.some((kind) => cause instanceof kind)) throw cause;
      throw new AppError('unavailable', 'The keys of the host application cannot be fetched.', { cause });
    }
  };
}
