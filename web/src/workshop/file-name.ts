import type { CodePiece } from '../markdown/fences.js';

/** Of languages whose fences are no file extensions. */
const extensions: Readonly<Record<string, string>> = {
  bash: 'sh',
  console: 'sh',
  javascript: 'js',
  markdown: 'md',
  python: 'py',
  rust: 'rs',
  shell: 'sh',
  text: 'txt',
  typescript: 'ts',
  yaml: 'yml',
  zsh: 'sh',
};

/** Under which name code is saved: its own without folders, else one that says the language. */
export function fileNameOf({ file, fence }: Pick<CodePiece, 'file' | 'fence'>): string {
  const own = file?.split(/[\\/]/).at(-1);
  if (own) return own;
  const language = fence?.toLowerCase() ?? 'text';
  return `code.${extensions[language] ?? (/^\w{1,12}$/.test(language) ? language : 'txt')}`;
}
