import { styleText } from 'node:util';
import type { EnvSource } from '../../config/env.js';
import { givenToken } from '../options.js';
import type { Finding } from './finding.js';
import { checkPorts } from './ports.js';
import { checkPostgres } from './postgres.js';
import { checkRedis } from './redis.js';
import { checkServer } from './server.js';
import { checkNode, checkSettings } from './settings.js';

export interface DoctorOptions {
  /** A server to look at, too. */
  url?: string;
  token?: string;
  role: 'all' | 'api' | 'worker';
}

/** `tokencast doctor`. Looks and changes nothing. Resolves with the exit code: 1 where something is broken. */
export async function doctor(options: DoctorOptions, source: EnvSource = process.env): Promise<number> {
  const found = [checkNode(process.version)];
  const { env, findings } = checkSettings(source, options.role);
  found.push(...findings);
  show(found);
  const more = [
    env && checkRedis(env.stores.redisUrl, env.redisTls),
    env && checkPostgres(env.stores.databaseUrl),
    env && checkPorts(env),
    options.url === undefined ? undefined : checkServer({ url: options.url, token: givenToken(options) }),
  ];
  for (const check of more) {
    const news = (await check) ?? [];
    show(news);
    found.push(...news);
  }
  const count = (level: Finding['level']) => found.filter((finding) => finding.level === level).length;
  console.log(`\n${count('ok')} fine, ${count('hint')} to think about, ${count('broken')} broken.`);
  return count('broken') > 0 ? 1 : 0;
}

const marks = { ok: ['✓', 'green'], hint: ['!', 'yellow'], broken: ['✗', 'red'] } as const;

function show(findings: readonly Finding[]): void {
  const isColoured = process.stdout.isTTY && process.stdout.getColorDepth() >= 4;
  for (const { level, what, advice } of findings) {
    const [mark, colour] = marks[level];
    console.log(`${isColoured ? styleText(colour, mark) : mark} ${what}`);
    if (advice !== undefined) console.log(`  → ${advice}`);
  }
}
