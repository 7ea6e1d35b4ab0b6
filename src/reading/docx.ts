import mammoth from 'mammoth';
import type { Block } from './block.js';
import { readHtml } from './html.js';
import { Unreadable } from './unreadable.js';

/** The blocks of a Word document (.docx). @throws Unreadable */
export async function readDocx(bytes: Uint8Array): Promise<Block[]> {
  const noImage = mammoth.images.imgElement(() => Promise.resolve({ src: '' }));
  const options = { styleMap: ["p[style-name='Title'] => h1:fresh"], convertImage: noImage };
  const { value } = await mammoth
    .convertToHtml({ buffer: Buffer.from(bytes) }, options)
    .catch((cause: unknown) => {
      throw new Unreadable('unreadable', 'The Word document is broken.', { cause });
    });
  return readHtml(value);
}
