import remend from 'remend';
import { isChunk, type Chunk, type StreamPart } from '../src/domain/content.js';
import type { HtmlBlock } from '../src/domain/generation.js';
import { MarkdownBlocks, type MarkdownBlock } from './markdown-blocks.js';
import { renderMarkdown } from './markdown-html.js';
import { RenderPace } from './render-pace.js';

interface HtmlStreamOptions {
  /** Writes a block that is done into the log. */
  done: (block: HtmlBlock) => void;
  /** Shows a block that is being written. Never throws. */
  draw: (block: HtmlBlock) => void;
}

/**
 * Renders the text of an answer while it is written, block by block: each one again and again while it grows, and once
 * more when it is done, at a pace that a page and this process can keep.
 *
 * Invariants:
 * - Every block is told of as done once, in the order of the blocks, unless an earlier attempt has done so.
 * - The blocks that are done depend on the text alone, not on how or when it came.
 */
export class HtmlStream {
  readonly #pace = new RenderPace();
  #blocks = new MarkdownBlocks();
  /** Blocks that are final and not told of. */
  #final: MarkdownBlock[] = [];
  /** The place of the first of them, or of the block that is being written. */
  #place = 0;
  /** The block that is being written has grown since it was shown. */
  #grown = false;
  #timer: NodeJS.Timeout | undefined;
  #started = false;

  constructor(private readonly options: HtmlStreamOptions) {}

  /** Begins to tell of what has been written, and will be. */
  start(): void {
    this.#started = true;
    this.#schedule();
  }

  /** Something has been written into the answer. */
  write(chunk: Chunk): void {
    this.#read(chunk);
    this.#schedule();
  }

  /** Goes on behind what an earlier attempt has written, which has told of the blocks that are done. */
  resume(parts: readonly StreamPart[], told: readonly HtmlBlock[]): void {
    for (const part of parts) if (isChunk(part)) this.#read(part);
    this.#final.push(...this.#blocks.take());
    const done = told.filter((block) => block.done).length;
    this.#final.splice(0, done);
    this.#place = done;
  }

  /** The answer starts over. */
  reset(): void {
    this.#blocks = new MarkdownBlocks();
    this.#final = [];
    this.#place = 0;
    this.#grown = false;
  }

  /** Tells of all that is left: nothing more is written. */
  end(): void {
    this.#endText();
    while (this.#final.length > 0) this.#tellFinal();
    this.close();
  }

  /** Shows what is left as it stands: it is not done, and nobody here goes on with it. */
  leave(): void {
    this.#final.push(...this.#blocks.take());
    while (this.#final.length > 0) this.#drawFinal();
    if (this.#grown) this.#drawOpen();
    this.close();
  }

  /** Tells of nothing more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.reset();
  }

  #read(chunk: Chunk): void {
    switch (chunk.type) {
      case 'message_start':
        this.reset();
        return;
      case 'content_block_start':
        if (chunk.content_block.type === 'text') this.#add(chunk.content_block.text);
        return;
      case 'content_block_delta':
        if (chunk.delta.type === 'text_delta') this.#add(chunk.delta.text);
        return;
      case 'content_block_stop':
        // What follows is another text: its blocks are its own.
        this.#endText();
        return;
      case 'message_delta':
      case 'message_stop':
        return;
    }
  }

  #add(text: string): void {
    this.#blocks.add(text);
    this.#grown ||= text !== '';
  }

  #endText(): void {
    this.#final.push(...this.#blocks.end());
    this.#grown = false;
  }

  #schedule(): void {
    if (!this.#started || (this.#final.length === 0 && !this.#grown)) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#pace.waitMs === 0) this.#tell();
      this.#schedule();
    }, Math.ceil(this.#pace.waitMs)).unref();
  }

  /** One event. */
  #tell(): void {
    this.#final.push(...this.#blocks.take());
    if (this.#final.length > 0) this.#tellFinal();
    else if (this.#grown) this.#drawOpen();
  }

  #tellFinal(): void {
    const block = this.#renderFinal();
    if (block) this.options.done({ ...block, done: true });
  }

  #drawFinal(): void {
    const block = this.#renderFinal();
    if (block) this.options.draw({ ...block, done: false });
  }

  #renderFinal(): Omit<HtmlBlock, 'done'> | undefined {
    const block = this.#final.shift();
    if (!block) return undefined;
    const html = this.#pace.measure(() => renderMarkdown(block.source));
    return { block: this.#place++, language: block.language, html };
  }

  #drawOpen(): void {
    this.#grown = false;
    const block = this.#blocks.open;
    if (!block) return;
    const { language, isCode } = block;
    // Marks that are not closed yet are closed for show.
    const source = isCode ? block.source : remend(block.source, { linkMode: 'text-only', katex: false });
    const html = this.#pace.measure(() => renderMarkdown(source));
    this.options.draw({ block: this.#place, language, html, done: false });
  }
}
