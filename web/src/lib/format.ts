/** Numbers, times and names as the page writes them. */

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const utcDay = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const count = new Intl.NumberFormat('en');
const ordinals = new Intl.PluralRules('en', { type: 'ordinal' });
const suffixes: Partial<Record<Intl.LDMLPluralRule, string>> = { one: 'st', two: 'nd', few: 'rd' };

/** `14:03`, in the reader's time zone. */
export const clockTime = (iso: string): string => clock.format(new Date(iso));

/** `0.42 s`, `1.9 s`, `12 s`. */
export function seconds(ms: number): string {
  const value = Math.max(0, ms) / 1000;
  return `${value < 1 ? value.toFixed(2) : value < 10 ? value.toFixed(1) : value.toFixed(0)} s`;
}

/** `0.42 s`, `6 s`, `2 min`: where tenths say nothing. */
export function roundSeconds(ms: number): string {
  const whole = Math.round(ms / 1000);
  if (whole < 1) return seconds(ms);
  return whole < 100 ? `${whole} s` : `${Math.round(whole / 60)} min`;
}

/** `3 s`, `2 min`, `9 h 48 min`: how long something is still to be waited for; never less than a second. */
export function timeLeft(ms: number): string {
  const whole = Math.max(1, Math.ceil(ms / 1000));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.ceil(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const number = (value: number): string => count.format(Math.round(value));

/** `1 event`, `212 events`. */
export const counted = (value: number, noun: string, plural = `${noun}s`): string =>
  `${number(value)} ${Math.round(value) === 1 ? noun : plural}`;

const small = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

/** `four`, `12`: numbers in a sentence. */
export function inWords(value: number, capital = false): string {
  const word = small[value];
  if (word === undefined) return number(value);
  return capital ? word.charAt(0).toUpperCase() + word.slice(1) : word;
}

/** `3rd`. */
export const ordinal = (value: number): string => `${value}${suffixes[ordinals.select(value)] ?? 'th'}`;

/** The first letters of a name, as avatars carry them. */
export const initials = (name: string, letters = 2): string =>
  Array.from(name.trim()).slice(0, letters).join('');

/** Under which heading of the sidebar a time stands, seen from `now`. */
export function dayLabel(iso: string, now: Date = new Date()): string {
  const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((midnight(now) - midnight(new Date(iso))) / 86_400_000);
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return days < 7 ? 'Last week' : 'Earlier';
}

/** `11:20` today, else `14 Nov`. */
export const shortTime = (iso: string, now: Date = new Date()): string =>
  dayLabel(iso, now) === 'Today' ? clockTime(iso) : day.format(new Date(iso));

/** `$0.0115`, `$1.84`: small sums need more digits. */
export const usd = (value: number): string =>
  `$${value === 0 || value >= 0.1 ? value.toFixed(2) : value.toFixed(4)}`;

const compact = new Intl.NumberFormat('en', { maximumSignificantDigits: 3, minimumSignificantDigits: 3 });

/** `6.94 M`, `12.4 k`, `386`. */
export function shortTokens(value: number): string {
  if (value < 10_000) return number(value);
  return value < 999_500 ? `${compact.format(value / 1000)} k` : `${compact.format(value / 1_000_000)} M`;
}

/** `23 Oct`, of a day as `2026-10-23`. */
export const shortDay = (isoDay: string): string => utcDay.format(new Date(isoDay));

/** `$0.07`, `$0.0004`: sums of many, in whole cents where there are any. */
export const sumUsd = (value: number): string =>
  value >= 0.01 || value === 0 ? `$${value.toFixed(2)}` : usd(value);

/** `$5`, `$2.50`: limits are mostly whole. */
export const shortUsd = (value: number): string => usd(value).replace(/\.00$/, '');

/** How many words a text has. */
export const countWords = (text: string): number => text.match(/\S+/g)?.length ?? 0;

/** The first line of a message as a conversation's title, cut at a word. */
export function titleFrom(content: string, maxCharacters = 60): string {
  const line = content.trim().split('\n', 1)[0] ?? '';
  if (line.length <= maxCharacters) return line;
  const cut = line.slice(0, maxCharacters);
  const space = cut.lastIndexOf(' ');
  return `${(space > maxCharacters / 2 ? cut.slice(0, space) : cut).trimEnd()}…`.toWellFormed();
}
