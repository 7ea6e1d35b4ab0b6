import { useQuery } from '@tanstack/react-query';
import type { EndedGeneration, GenerationHead, Message } from '../../../src/client/index.js';
import { http } from '../services.js';

/** How an answer ended: as it was seen here, else as the server says where `ask` says so; null: not known. */
export function useGenerationEnd(
  message: Pick<Message, 'generationId'> | null,
  seen: EndedGeneration | null,
  ask: boolean,
): GenerationHead | null {
  const generationId = message?.generationId ?? null;
  const { data } = useQuery({
    queryKey: ['generation', generationId],
    queryFn: ({ signal }) => http.getGeneration(generationId ?? '', { signal }),
    enabled: seen === null && generationId !== null && ask,
    staleTime: Infinity,
  });
  return seen ?? data ?? null;
}
