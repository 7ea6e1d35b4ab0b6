import { hasContent } from '../../../src/client/index.js';
import type {
  EndedGeneration,
  GenerationHead,
  LiveGeneration,
  Message,
  RoomState,
  User,
} from '../../../src/client/index.js';

/** One row of the log. `to`: who is answered. */
export type TimelineItem =
  | {
      kind: 'message';
      id: string;
      message: Message;
      ended: EndedGeneration | null;
      to: User | null;
      /** Whether something that has not ended writes it anew, or goes on with it. */
      busy: boolean;
    }
  | { kind: 'writing'; id: string; generation: LiveGeneration; to: User | null }
  /** An answer that ended before it had a word. */
  | { kind: 'unanswered'; id: string; generation: EndedGeneration; to: User | null };

/** One place in the line: a prompt whose answer waits for another. */
export interface WaitingPrompt {
  generation: LiveGeneration;
  prompt: Message | null;
}

export interface Timeline {
  items: readonly TimelineItem[];
  /** In the order of answering. */
  waiting: readonly WaitingPrompt[];
}

/** The room in the order in which people read it: answers behind their prompts, what waits apart, at the end. */
export function timelineOf(state: RoomState): Timeline {
  const { messages, generations, ended } = state;
  const byId = new Map(messages.map((message) => [message.id, message]));
  const promptOf = ({ promptId }: GenerationHead) => (promptId && byId.get(promptId)) || null;
  const waiting = generations
    .filter(({ status }) => status === 'waiting')
    .map((generation) => ({ generation, prompt: promptOf(generation) }));
  const writing = generations.filter(({ status }) => status !== 'waiting');

  const hidden = new Set<string>();
  // Who waits for a first answer waits in line; who has one already keeps their place.
  for (const { prompt } of waiting) if (prompt && !hasAnswer(messages, prompt)) hidden.add(prompt.id);
  // A message that is written anew stays as it was until the new one has its first word.
  const shown = writing.filter(({ messageId, content }) => hasContent(content) || !byId.has(messageId));
  for (const { messageId } of shown) hidden.add(messageId);

  const items: (TimelineItem & { position: number })[] = [];
  let lastAuthor: User | null = null;
  for (const message of messages) {
    if (hidden.has(message.id)) continue;
    const { id, position } = message;
    if (message.role === 'user') {
      lastAuthor = message.author;
      items.push({ kind: 'message', id, position, message, ended: null, to: null, busy: false });
    } else {
      const end = (message.generationId && ended.get(message.generationId)) || null;
      const to = (end && promptOf(end)?.author) ?? lastAuthor;
      const busy = generations.some((one) => one.messageId === id || one.position === position);
      items.push({ kind: 'message', id, position, message, ended: end, to, busy });
    }
  }
  for (const generation of shown) {
    const prompt = promptOf(generation);
    items.push({
      kind: 'writing',
      id: generation.messageId,
      position: placeOf(generation, prompt),
      generation,
      to: prompt?.author ?? null,
    });
  }
  for (const generation of ended.values()) {
    const prompt = promptOf(generation);
    if (!prompt || byId.has(generation.messageId)) continue;
    if (writing.some(({ messageId }) => messageId === generation.messageId)) continue;
    if (isAskedAgain(generation, prompt, state)) continue;
    const position = placeOf(generation, prompt);
    items.push({ kind: 'unanswered', id: generation.messageId, position, generation, to: prompt.author });
  }
  return { items: items.sort((a, b) => a.position - b.position), waiting };
}

/** An answer has the position after its prompt's. */
const hasAnswer = (messages: readonly Message[], { position }: Message): boolean =>
  messages.some((message) => message.role === 'assistant' && message.position === position + 1);

/** Whether something newer answers the same prompt, or is to. Ids of generations grow with time. */
function isAskedAgain(
  { id, promptId }: GenerationHead,
  { position }: Message,
  { messages, generations, ended }: RoomState,
): boolean {
  const isNewer = (one: GenerationHead) => one.promptId === promptId && one.id > id;
  return (
    generations.some(isNewer) ||
    [...ended.values()].some(isNewer) ||
    messages.some(
      ({ role, generationId, position: at }) =>
        role === 'assistant' && at === position + 1 && generationId !== null && generationId > id,
    )
  );
}

/** An answer that does not know its place stands right behind its prompt. */
const placeOf = ({ position }: GenerationHead, prompt: Message | null): number =>
  position ?? (prompt ? prompt.position + 0.5 : Number.MAX_SAFE_INTEGER);
