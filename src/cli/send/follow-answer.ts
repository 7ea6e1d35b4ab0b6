import {
  hasEnded,
  textOf,
  TokencastError,
  type GenerationProgress,
  type RoomConnection,
  type RoomState,
  type TokencastHttp,
} from '../../client/index.js';
import { patiently } from '../patiently.js';

interface Listeners {
  /** The text so far, whole. */
  onText: (text: string) => void;
  onProgress: (progress: GenerationProgress) => void;
}

/** Resolves when the generation has ended and all of its text was told. @throws TokencastError the room cannot be watched any more */
export async function followAnswer(
  watching: RoomConnection,
  http: TokencastHttp,
  generationId: string,
  { onText, onProgress }: Listeners,
): Promise<void> {
  let progress: GenerationProgress | null = null;
  let wasLive = false;
  let unsubscribe: () => void = () => undefined;
  await new Promise<void>((resolve, reject) => {
    const end = (room: RoomState) => {
      const message = room.messages.findLast((each) => each.generationId === generationId);
      if (message) onText(message.text);
      resolve();
    };
    /** It may have ended before the room was entered, and have left nothing there. */
    const lookItUp = () => {
      patiently(() => http.getGeneration(generationId)).then((generation) => {
        if (!hasEnded(generation.status)) return;
        onText(generation.text);
        resolve();
      }, reject);
    };
    const look = () => {
      const { room, connection } = watching.getSnapshot();
      if (connection.state === 'closed') {
        reject(connection.error ?? new TokencastError('unreachable', 'The connection was closed.'));
        return;
      }
      if (!room) return;
      const live = room.generations.find(({ id }) => id === generationId);
      const entered = connection.state === 'live' && !wasLive;
      wasLive = connection.state === 'live';
      if (live) {
        onText(textOf([...live.content]));
        if (live.progress && live.progress !== progress) onProgress((progress = live.progress));
      } else if (room.ended.has(generationId)) end(room);
      else if (room.deleted) reject(new TokencastError('not_found', 'The room was deleted.'));
      else if (entered) lookItUp();
    };
    unsubscribe = watching.subscribe(look);
    look();
  }).finally(() => {
    unsubscribe();
  });
}
