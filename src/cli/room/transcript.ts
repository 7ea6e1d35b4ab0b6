import {
  textOf,
  type ContentBlock,
  type EndedGeneration,
  type LiveGeneration,
  type Message,
  type RoomState,
  type User,
} from '../../client/index.js';
import { figuresOf } from '../figures.js';
import { harmless } from '../terminal-text.js';
import { cutMarkdown, type MarkdownView } from './markdown.js';

/** What is new in a room, for somebody who reads from top to bottom. */
export interface Told {
  /** Whole lines that stand for good. */
  finished: string;
  /** What is being written. */
  changing: string;
}

export interface Style {
  name: (text: string) => string;
  note: (text: string) => string;
}

/** Turns the states of a room, one after the other, into a text that only grows. */
export class Transcript {
  /** The texts of the messages of people that were told. */
  readonly #told = new Map<string, string>();
  /** Of answers, by generation: what was told of the words, and whether all was. */
  readonly #answers = new Map<string, { words: string; isOver: boolean }>();
  #speaker = '';
  #present: ReadonlyMap<string, string> | undefined;
  #out = '';

  constructor(
    private readonly markdown: MarkdownView,
    private readonly style: Style,
    /** Whose own typing is not told. */
    private readonly me: string,
  ) {}

  /** What there is to tell since the last call. */
  update(room: RoomState): Told {
    this.#out = '';
    this.#people(room);
    for (const message of room.messages)
      if (message.role === 'user') this.#person(message);
      else this.#answered(message, room);
    for (const [id, ended] of room.ended) this.#endedWithNothing(id, ended, room);
    const open = room.generations.map((live) => this.#live(live, room)).filter((text) => text !== '');
    return { finished: this.#out, changing: [...open, ...this.#typists(room)].join('\n') };
  }

  #people({ users }: RoomState): void {
    const now = new Map(users.map(({ id, name }) => [id, harmless(name)]));
    const before = this.#present;
    this.#present = now;
    if (!before) {
      if (now.size > 1) this.#note(`here: ${[...now.values()].join(', ')}`);
      return;
    }
    for (const [id, name] of now) if (!before.has(id)) this.#note(`${name} is here`);
    for (const [id, name] of before) if (!now.has(id)) this.#note(`${name} has gone`);
  }

  #person({ id, author, text }: Message): void {
    const known = this.#told.get(id);
    if (known === text) return;
    this.#told.set(id, text);
    this.#speaker = '';
    const name = `${nameOf(author)}${known === undefined ? '' : ' (changed)'}:`;
    this.#out += `${this.style.name(name)} ${harmless(text)}\n`;
  }

  /** An answer that is not being written: of the past, or at its end. */
  #answered(message: Message, room: RoomState): void {
    const { generationId, status, content } = message;
    const id = generationId ?? message.id;
    const answer = this.#answerOf(id);
    if (answer.isOver || status === 'streaming' || room.generations.some((live) => live.id === id)) return;
    answer.isOver = true;
    const rest = this.#restOf(id, wordsOf(content));
    if (rest.trim() !== '') {
      this.#heading(id, promptAuthor(room, room.ended.get(id)?.promptId));
      this.#out += this.markdown.block(rest);
    }
    const ended = room.ended.get(id);
    if (ended) this.#note(figuresOf(ended));
    else if (status === 'partial') this.#note('not to its end');
    this.#speaker = '';
  }

  #endedWithNothing(id: string, ended: EndedGeneration, room: RoomState): void {
    const answer = this.#answerOf(id);
    if (answer.isOver || room.messages.some(({ generationId }) => generationId === id)) return;
    answer.isOver = true;
    this.#note(figuresOf(ended));
    this.#speaker = '';
  }

  /** Tells the blocks that are whole; answers with the one that is being written. */
  #live(live: LiveGeneration, room: RoomState): string {
    const answer = this.#answerOf(live.id);
    // One that goes on from what was told of it once.
    answer.isOver = false;
    const rest = this.#restOf(live.id, wordsOf(live.content));
    const { done, open } = cutMarkdown(rest);
    if (done.trim() !== '') {
      this.#heading(live.id, promptAuthor(room, live.promptId));
      this.#out += this.markdown.block(done);
      answer.words += done;
    }
    if (open.trim() !== '') return this.markdown.openBlock(open);
    const isThinking = live.content.at(-1)?.type === 'thinking';
    return this.style.note(live.status === 'running' ? (isThinking ? 'thinking…' : '…') : live.status);
  }

  /** What was not told of an answer's words. Where they do not go on from it, they are told from the beginning. */
  #restOf(id: string, words: string): string {
    const answer = this.#answerOf(id);
    if (!words.startsWith(answer.words)) {
      this.#note('the answer starts over');
      answer.words = '';
      this.#speaker = '';
    }
    return words.slice(answer.words.length);
  }

  #answerOf(id: string) {
    const known = this.#answers.get(id);
    if (known) return known;
    const answer = { words: '', isOver: false };
    this.#answers.set(id, answer);
    return answer;
  }

  #heading(id: string, to: string | undefined): void {
    if (this.#speaker === id) return;
    this.#speaker = id;
    this.#out += `${this.style.name(to === undefined ? 'assistant:' : `assistant to ${to}:`)}\n`;
  }

  #typists({ typing }: RoomState): string[] {
    const names = typing.filter(({ user }) => user.id !== this.me).map(({ user }) => nameOf(user));
    return names.length === 0 ? [] : [this.style.note(`${names.join(', ')} …`)];
  }

  #note(text: string): void {
    this.#out += `${this.style.note(`[${harmless(text)}]`)}\n`;
  }
}

const nameOf = (user: User | null): string => harmless(user?.name ?? 'somebody');

function promptAuthor({ messages }: RoomState, promptId: string | null | undefined): string | undefined {
  const prompt = messages.find(({ id }) => id === promptId);
  return prompt && nameOf(prompt.author);
}

/** The words of an answer, with the tools that it used. Only grows while it is written. */
function wordsOf(content: readonly ContentBlock[]): string {
  const words = content.map((block) => {
    switch (block.type) {
      case 'tool_use':
      case 'server_tool_use':
        return `\n\n*uses ${block.name}*\n\n`;
      default:
        return textOf([block]);
    }
  });
  return harmless(words.join(''));
}
