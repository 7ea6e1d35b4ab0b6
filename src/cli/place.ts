import { isUuid } from '../wire/room.js';

/** What a command is pointed at. `id`: of anything, yet to be found out. */
export interface Place {
  kind: 'conversation' | 'document' | 'generation' | 'invite' | 'id';
  /** Of an invite its token. */
  id: string;
}

const named = /^(conversation|document|generation):(.+)$/;
/** Addresses of the page. */
const addresses = [
  { kind: 'invite', path: /\/invite\/([\w.-]{1,200})\/?$/ },
  { kind: 'document', path: /\/documents\/([0-9a-f-]{36})\/?$/ },
  { kind: 'conversation', path: /\/(?:c|workshop)\/([0-9a-f-]{36})\/?$/ },
] as const;

/**
 * Reads the name of a room or generation: `conversation:<id>`, `document:<id>`, `generation:<id>`, an id alone, or an
 * address of the page, links of invitations included.
 *
 * @throws Error it is none of these
 */
export function parsePlace(text: string): Place {
  const [, kind, id] = named.exec(text) ?? [];
  if (kind && isUuid(id)) return { kind: kind as Place['kind'], id };
  if (isUuid(text)) return { kind: 'id', id: text };
  const path = URL.canParse(text) ? new URL(text).pathname : text;
  for (const address of addresses) {
    const found = address.path.exec(path)?.[1];
    if (found !== undefined) return { kind: address.kind, id: found };
  }
  throw new Error(
    `${JSON.stringify(text)} is no room: give conversation:<id>, document:<id>, an id, or a link of the page.`,
  );
}
