import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisClient } from './connect.js';

const names = [
  'append',
  'draw',
  'open',
  'tell',
  'read',
  'look',
  'raise',
  'enter',
  'note-limits',
  'cache-take',
  'cache-renew',
  'cache-end',
  'cache-forget',
  'lease',
] as const;
type ScriptName = (typeof names)[number];

const source = (file: string) => readFileSync(new URL(`./lua/${file}.lua`, import.meta.url), 'utf8');

export type RunScript = (name: ScriptName, keys: string[], args: (string | number)[]) => Promise<string[]>;

type Command = (keyCount: number, ...rest: (string | number)[]) => Promise<string[]>;

/** Its numbers, and what they are counted on by, are exact in Lua. */
const draws = 2 ** 47;

/** Makes the scripts known to a connection; they are sent as EVALSHA, and whole where Redis has forgotten them. */
export function defineScripts(redis: RedisClient): RunScript {
  const prelude = source('prelude');
  for (const name of names) redis.defineCommand(`tokencast:${name}`, { lua: `${prelude}\n${source(name)}` });
  return (name, keys, args) => {
    const command = Reflect.get(redis, `tokencast:${name}`) as Command;
    return command.call(redis, keys.length, ...keys, ...args, randomInt(draws));
  };
}
