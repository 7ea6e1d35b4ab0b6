import type { Parser } from '@lezer/common';

/** Loads a language's parser; each comes with its first code block. */
type Load = () => Promise<Parser>;

const javascript =
  (dialect?: string): Load =>
  async () => {
    const { javascript: parser } = await import('./javascript-parser.js');
    return dialect === undefined ? parser : parser.configure({ dialect });
  };
const shell: Load = () => import('./stream-parsers.js').then((parsers) => parsers.shell);
const sql: Load = () => import('./stream-parsers.js').then((parsers) => parsers.sql);
const python: Load = () => import('@lezer/python').then(({ parser }) => parser);
const json: Load = () => import('@lezer/json').then(({ parser }) => parser);
const css: Load = () => import('@lezer/css').then(({ parser }) => parser);
const html: Load = () => import('@lezer/html').then(({ parser }) => parser);
const go: Load = () => import('@lezer/go').then(({ parser }) => parser);
const rust: Load = () => import('@lezer/rust').then(({ parser }) => parser);
const java: Load = () => import('@lezer/java').then(({ parser }) => parser);
const yaml: Load = () => import('@lezer/yaml').then(({ parser }) => parser);

/** By the names that fences carry: how the language is called, and how it is read. */
const languages: Record<string, readonly [name: string, load?: Load]> = {
  bash: ['Shell', shell],
  console: ['Shell', shell],
  css: ['CSS', css],
  go: ['Go', go],
  html: ['HTML', html],
  http: ['HTTP'],
  java: ['Java', java],
  javascript: ['JavaScript', javascript('jsx')],
  js: ['JavaScript', javascript('jsx')],
  json: ['JSON', json],
  jsonc: ['JSON', json],
  jsx: ['JSX', javascript('jsx')],
  md: ['Markdown'],
  markdown: ['Markdown'],
  mjs: ['JavaScript', javascript()],
  py: ['Python', python],
  python: ['Python', python],
  rs: ['Rust', rust],
  rust: ['Rust', rust],
  sh: ['Shell', shell],
  shell: ['Shell', shell],
  sql: ['SQL', sql],
  svg: ['SVG', html],
  text: ['Text'],
  ts: ['TypeScript', javascript('ts')],
  tsx: ['TSX', javascript('ts jsx')],
  typescript: ['TypeScript', javascript('ts')],
  xml: ['XML', html],
  yaml: ['YAML', yaml],
  yml: ['YAML', yaml],
  zsh: ['Shell', shell],
};

const entryOf = (fence: string | undefined) =>
  fence !== undefined && Object.hasOwn(languages, fence.toLowerCase())
    ? languages[fence.toLowerCase()]
    : undefined;

/** How a person calls the language of a fence. */
export const languageName = (fence: string | undefined): string => entryOf(fence)?.[0] ?? fence ?? 'Text';

const parsers = new Map<Load, Promise<Parser>>();

/** The parser of a fence's language, loaded once; undefined: its code stays plain. */
export function loadParser(fence: string | undefined): Promise<Parser> | undefined {
  const load = entryOf(fence)?.[1];
  if (!load) return undefined;
  const known = parsers.get(load);
  if (known) return known;
  const loading = load();
  parsers.set(load, loading);
  // A network that fails once may work for the next block.
  loading.catch(() => parsers.delete(load));
  return loading;
}
