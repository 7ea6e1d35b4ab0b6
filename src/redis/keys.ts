import type { ProviderName } from '../domain/models.js';
import type { Room } from '../wire/room.js';

/**
 * Every Redis key and channel of the product. All keys of a room share the hash tag `{<room>}`, so that one script may
 * touch them on a cluster.
 *
 * | key | holds | bounded by |
 * | --- | --- | --- |
 * | `log` | the room log, a stream | length, TTL |
 * | `head` | hash: `last` (id of the newest entry), `outbox` (newest outbox id in the log) | TTL |
 * | `live` | set: the generations with live content | TTL |
 * | `generation` | hash: `attempt`, `n` (number of its last append), `ended` | TTL |
 * | `transcript` | what the generation has written so far, see `transcript.ts` | end, TTL |
 * | `html` | hash: the blocks of an answer that is rendered, by their places; kept for a while after the end | TTL |
 * | `cancel` | the cancel flag | TTL |
 * | `activity` | held for a second after the members' lists were told of a change | TTL |
 * | `presence` | hash: who watches, from which gateway | TTL |
 * | `gateways` | hash: when each gateway has said last that it lives | TTL, age of its fields |
 * | `providerLimits` | hash: what a provider has told of its limits: `held` (until when nothing is sent to it), `remaining`, `reset`, `limit` of requests | TTL |
 * | `providerEntered` | sorted set: the requests that have gone and were not answered yet, by when they are forgotten | TTL |
 * | `cachedAnswers` | hash: the answers that may be replayed, by the keys of their requests | size, TTL |
 * | `cachedUntil` | sorted set: when each of them ends, ms since the epoch | with them |
 * | `cachedBytes` | how long all of them are together | with them |
 * | `cacheTurn` | which attempt of which generation asks the model for an answer that others wait for | TTL |
 * | `cacheAsked` | which answer a generation asked for | TTL |
 * | `sweeper` | which worker process sweeps | TTL |
 * | `probe` | nothing of meaning: written to see whether Redis takes writes | TTL |
 */
export interface Keys {
  log(room: Room): string;
  head(room: Room): string;
  live(room: Room): string;
  /** The channel that tells of every entry of the log, and of what is not logged. */
  channel(room: Room): string;
  generation(room: Room, generationId: string): string;
  transcript(room: Room, generationId: string): string;
  html(room: Room, generationId: string): string;
  cancel(room: Room, generationId: string): string;
  activity(room: Room): string;
  presence(room: Room): string;
  gateways: string;
  /** What is left at a provider for one account. */
  providerLimits(provider: ProviderName, account: string): string;
  providerEntered(provider: ProviderName, account: string): string;
  /** The channel on which workers are told to look at a cancel flag. */
  control: string;
  /** Holds the id of the Redis that was last seen whole; gone or different after a loss. */
  marker: string;
  /** Which worker process sweeps. */
  sweeper: string;
  /** Written to see whether Redis takes writes. */
  probe: string;
  cachedAnswers: string;
  cachedUntil: string;
  cachedBytes: string;
  cacheTurn(request: string): string;
  cacheAsked(generationId: string): string;
  /** The channel that tells of every turn that has ended. */
  cacheChannel: string;
  /** Prefix of rate limits. */
  rateLimit: string;
}

/** Keys under a prefix; every deployment on a shared Redis has its own. */
export function createKeys(prefix: string): Keys {
  const base = (room: Room) => `${prefix}:{${room}}`;
  return {
    log: (room) => `${base(room)}:log`,
    head: (room) => `${base(room)}:head`,
    live: (room) => `${base(room)}:live`,
    channel: (room) => `${base(room)}:channel`,
    generation: (room, id) => `${base(room)}:generation:${id}`,
    transcript: (room, id) => `${base(room)}:transcript:${id}`,
    html: (room, id) => `${base(room)}:html:${id}`,
    cancel: (room, id) => `${base(room)}:cancel:${id}`,
    activity: (room) => `${base(room)}:activity`,
    presence: (room) => `${base(room)}:presence`,
    gateways: `${prefix}:{presence}:gateways`,
    providerLimits: (provider, account) => `${prefix}:{provider:${provider}:${account}}:limits`,
    providerEntered: (provider, account) => `${prefix}:{provider:${provider}:${account}}:entered`,
    control: `${prefix}:{control}:channel`,
    marker: `${prefix}:{control}:marker`,
    sweeper: `${prefix}:{control}:sweeper`,
    probe: `${prefix}:{control}:probe`,
    cachedAnswers: `${prefix}:{cache}:answers`,
    cachedUntil: `${prefix}:{cache}:until`,
    cachedBytes: `${prefix}:{cache}:bytes`,
    cacheTurn: (request) => `${prefix}:{cache}:turn:${request}`,
    cacheAsked: (generationId) => `${prefix}:{cache}:asked:${generationId}`,
    cacheChannel: `${prefix}:{cache}:channel`,
    rateLimit: `${prefix}:rate-limit`,
  };
}
