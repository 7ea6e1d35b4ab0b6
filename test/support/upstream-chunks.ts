import type { Chunk, ContentBlock } from '../../src/domain/content.js';
import { ContentAccumulator } from '../../src/domain/content-accumulator.js';
import type { Provider, ProviderRequest } from '../../src/providers/provider.js';

/** All chunks of a streamed answer. */
export async function collect(
  provider: Provider,
  request: ProviderRequest,
  signal: AbortSignal = new AbortController().signal,
): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for await (const chunk of provider.stream(request, { signal })) chunks.push(chunk);
  return chunks;
}

/** The content that chunks bring. */
export function contentOf(chunks: readonly Chunk[]): ContentBlock[] {
  const accumulator = new ContentAccumulator();
  for (const chunk of chunks) accumulator.apply(chunk);
  return accumulator.content;
}

/** The text that chunks bring. */
export function textOf(chunks: readonly Chunk[]): string {
  return contentOf(chunks)
    .map((block) => (block.type === 'text' ? block.text : ''))
    .join('');
}
