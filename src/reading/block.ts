/** A piece of a document in its order, as Markdown: what sections are made of, whatever the file's format. */
export interface Block {
  kind: 'heading' | 'text' | 'code' | 'table';
  /** Markdown, in a heading too; for text without markup simply the text. */
  text: string;
  /** Of a heading: 1 to 6. */
  level?: number;
  /** Of a heading: its words. */
  title?: string;
  /** What a list or quotation is made of, for where it is too long to stay whole. */
  parts?: Block[];
}

export const heading = (level: number, title: string): Block => ({
  kind: 'heading',
  level: Math.min(6, Math.max(1, level)),
  title,
  text: `${'#'.repeat(Math.min(6, Math.max(1, level)))} ${title}`,
});

export const textBlock = (text: string): Block => ({ kind: 'text', text });
