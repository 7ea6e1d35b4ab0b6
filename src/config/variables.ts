import { z } from 'zod';

/**
 * Kinds of environment variables. Each reads a string that is not empty and says in its one error message what is
 * allowed, as the end of a sentence that begins with the variable's name.
 */

/** The longest time that a timer of Node can hold is 2^31 - 1 ms; nobody means more than a day. */
const dayMs = 86_400_000;

/** A whole number in decimal digits. `unit` is only for the message. */
export const whole = (min: number, max: number, unit = '') => {
  const error = `must be a whole number from ${min} to ${max}${unit && ` (${unit})`}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, { error })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error });
};

export const count = (min = 1) => whole(min, 1_000_000_000);
export const milliseconds = (min: number) => whole(min, dayMs, 'milliseconds');
/** US dollars, as whole nano-dollars (10⁻⁹), which is how money is counted. */
export const dollars = (max: number) => {
  const error = `must be an amount of US dollars from 0 to ${max}, such as 2.50`;
  return z
    .string()
    .regex(/^\d{1,9}(\.\d{1,9})?$/, { error })
    .transform((value) => Math.round(Number(value) * 1e9))
    .refine((nano) => nano <= max * 1e9, { error });
};

/** A share, from 0 to 1. */
export const share = z
  .string()
  .regex(/^(0(\.\d{1,9})?|1(\.0{1,9})?)$/, { error: 'must be a number from 0 to 1, such as 0.1' })
  .transform(Number);

export const port = whole(0, 65_535);

export const oneOf = <const T extends string>(...values: T[]) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` });

export const yesOrNo = oneOf('true', 'false').transform((value) => value === 'true');

const isUrl = (schemes: readonly string[]) => (value: string) =>
  URL.canParse(value) && schemes.includes(new URL(value).protocol);

/** A connection string: `schemes` as in `redis:`. May hold a password, several hosts, or a socket. */
export const connection = (...schemes: string[]) =>
  z.string().refine((value) => schemes.some((scheme) => new RegExp(`^${scheme}//\\S+$`).test(value)), {
    error: `must be a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
  });

const redisServers = String.raw`(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?`;
const redisUrls = [
  /^rediss?:\/\/\S+$/,
  new RegExp(`^rediss?-cluster://([^@/\\s]*@)?${redisServers}(,${redisServers})*/?$`, 'i'),
  new RegExp(`^rediss?-sentinel://([^@/\\s]*@)?${redisServers}(,${redisServers})*/[^\\s/?]+(\\?\\S*)?$`, 'i'),
];

/** One server, a cluster, or Sentinels: see `redis/redis-address.ts`. May hold a password. */
export const redisUrl = z.string().refine((value) => redisUrls.some((form) => form.test(value)), {
  error:
    'must be redis://host:port, redis-cluster://host:port,host:port, or redis-sentinel://host:port,host:port/name-of-the-master (with rediss: over TLS)',
});

/** What is in a PEM file. */
export const pem = z.string().regex(/^-----BEGIN [A-Z ]+-----\s/, {
  error: 'must be PEM, beginning with -----BEGIN',
});

export const httpUrl = z
  .string()
  .refine(isUrl(['http:', 'https:']), { error: 'must be a URL that begins with http:// or https://' })
  .transform((value) => value.replace(/\/+$/, ''));

const list = (value: string) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

/** `*`, or origins separated by commas, as browsers send them: scheme, host and port, nothing behind. */
export const origins = z
  .string()
  .refine((value) => value === '*' || list(value).every(isOrigin), {
    error: 'must be *, or origins separated by commas, such as https://app.example.com',
  })
  .transform((value): '*' | string[] => (value === '*' ? '*' : list(value)));

const isOrigin = (value: string) => isUrl(['http:', 'https:'])(value) && new URL(value).origin === value;

const host = /^(\*|(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*)(:\d{1,5})?$/i;

/** Hosts separated by commas: `example.com`, `*.example.com` for its subdomains, `*`; with `:port` behind. */
export const hosts = z
  .string()
  .refine((value) => list(value).every((item) => host.test(item)), {
    error: 'must be hosts separated by commas, such as example.com, *.example.com, example.com:8080, or *',
  })
  .transform(list);

/** Waits in seconds, one after the other. */
export const waits = z
  .string()
  .refine((value) => list(value).every((item) => /^\d{1,6}$/.test(item)) && list(value).length <= 50, {
    error: 'must be 1 to 50 whole numbers of seconds separated by commas, such as 5,60,300',
  })
  .transform((value) => list(value).map((item) => Number(item) * 1000));

const subnet = z.union([
  z.ipv4(),
  z.ipv6(),
  z.cidrv4(),
  z.cidrv6(),
  z.enum(['loopback', 'linklocal', 'uniquelocal']),
]);

/** What Express takes as `trust proxy` (https://expressjs.com/en/guide/behind-proxies.html). */
export const trustProxy = z
  .string()
  .refine(
    (value) =>
      /^(true|false|\d{1,3})$/.test(value) || list(value).every((item) => subnet.safeParse(item).success),
    {
      error:
        'must be a number of hops, true, false, or addresses and subnets separated by commas (also loopback, linklocal, uniquelocal)',
    },
  )
  .transform((value): boolean | number | string[] => {
    if (value === 'true' || value === 'false') return value === 'true';
    return /^\d+$/.test(value) ? Number(value) : list(value);
  });
