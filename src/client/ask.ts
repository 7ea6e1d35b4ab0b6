import { GenerationHandle, type GenerationReference } from './generation-handle.js';
import { TokencastHttp } from './http.js';
import type { NewMessage } from './http-types.js';
import type { RoomConnectionOptions } from './room-view.js';
import { TokencastError } from './tokencast-error.js';

/** Watches one generation: see {@link GenerationHandle}. */
export function watchGeneration(
  generation: GenerationReference,
  options: RoomConnectionOptions,
): GenerationHandle {
  return new GenerationHandle(generation, options);
}

/**
 * Sends a message and watches its answer. Resolves when the message is accepted.
 *
 * @throws TokencastError what the server refuses it for; the reason of the signal
 */
export async function ask(
  conversationId: string,
  message: string | NewMessage,
  options: RoomConnectionOptions,
): Promise<GenerationHandle> {
  const { url, getToken, fetch, signal } = options;
  const http = new TokencastHttp({
    ...(url !== undefined && { baseUrl: url }),
    getToken,
    ...(fetch && { fetch }),
  });
  const body = typeof message === 'string' ? { content: message } : message;
  const { generation } = await http.sendMessage(conversationId, body, { ...(signal && { signal }) });
  if (!generation) throw new TokencastError('invalid_request', 'A remark between people has no answer.');
  return watchGeneration(generation, options);
}
