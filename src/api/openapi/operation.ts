import type { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.js';

/** Who may call: anybody, who has a session, the same with the token in the query, or who runs the server. */
export type Caller = 'anyone' | 'session' | 'stream' | 'operator';

export const tags = {
  Sessions: 'Who calls, and what they have used.',
  Conversations: 'Places where several people and one assistant write.',
  Members: 'Who takes part.',
  Messages: 'What people write, and asking for answers.',
  Generations: 'One run of a model each, which writes one answer.',
  Documents: 'Uploaded texts, analysed section by section in the background. The owner’s alone.',
  Events: 'Watching, by Server-Sent Events. The same over Socket.IO: `/asyncapi.json`.',
  Webhooks: 'Being told of what has ended.',
  Operators: 'For those who run the server.',
} as const;

/** An answer that is no problem. */
export interface AnswerDoc {
  description: string;
  /** A named schema; absent: no body. */
  schema?: z.ZodType;
  /** Default: JSON. */
  mediaType?: string;
  example?: unknown;
  /** Beside those of every answer. */
  headers?: readonly AnswerHeader[];
  /** The schema is that of each event of a stream. */
  events?: boolean;
}

export type AnswerHeader = 'Location' | 'Idempotency-Replayed' | 'Preference-Applied' | 'Content-Disposition';
export type RequestHeader = 'Idempotency-Key' | 'Prefer' | 'Last-Event-ID';

export interface BodyDoc {
  /** A named schema. */
  schema: z.ZodType;
  /** Default: JSON. */
  mediaType?: 'application/json' | 'multipart/form-data';
  /** By a name for each. All are accepted as they stand. */
  examples: Record<string, { summary: string; value: unknown }>;
  /** Default true. */
  required?: boolean;
}

/** A route as the document tells it. */
export interface Operation {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** With `{name}` where a parameter is. */
  path: string;
  id: string;
  tag: keyof typeof tags;
  summary: string;
  description?: string;
  caller: Caller;
  query?: z.ZodType;
  headers?: readonly RequestHeader[];
  body?: BodyDoc;
  /** By status; where there are several of one status, they differ in their media types. */
  answers: Partial<Record<number, AnswerDoc | readonly AnswerDoc[]>>;
  /** Beside those that follow from the rest, see {@link problemsOf}. */
  problems?: readonly ErrorCode[];
}

/** All codes that a route answers. */
export function problemsOf({ caller, path, query, headers, body, problems = [] }: Operation): ErrorCode[] {
  const codes = new Set<ErrorCode>(problems);
  if (caller !== 'anyone') codes.add('unauthenticated');
  if (caller === 'session' || caller === 'stream') codes.add('unavailable');
  if (path.includes('{') || caller === 'operator') codes.add('not_found');
  if (query || headers || body) codes.add('invalid_request');
  if (body) codes.add('payload_too_large').add('unsupported_media_type');
  if (headers?.includes('Idempotency-Key')) codes.add('idempotency_key_reused');
  return [...codes.add('internal')];
}
