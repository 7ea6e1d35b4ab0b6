import { createInterface, type Interface } from 'node:readline';
import {
  mayWrite,
  watchConversation,
  type ConversationView,
  type RoomConnection,
  type RoomState,
} from '../../client/index.js';
import { conversationOf } from '../conversation-of.js';
import { messageOf } from '../message-of.js';
import type { GuestOptions } from '../options.js';
import { Screen } from '../screen.js';
import { signIn, type SignedIn } from '../sign-in.js';
import { harmless } from '../terminal-text.js';
import { lookOn } from './look.js';
import { Transcript } from './transcript.js';

interface ChatOptions extends GuestOptions {
  model?: string;
}

const help = `A line is a message. /say <text>: to the people alone. /invite: a link for others. /people: who is here.
/cancel: stops the answer, as Ctrl-C does. /quit: leaves, as does Ctrl-C when nothing is being answered.`;

/** `tokencast chat`. Resolves with the exit code. */
export async function chat(room: string | undefined, options: ChatOptions): Promise<number> {
  try {
    const me = await signIn(options);
    const conversation = await conversationOf(me, room, { model: options.model });
    return await new Chat(me, conversation, options.model).run();
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  }
}

/** Somebody in a room: what happens there is shown, what is written is sent. */
class Chat {
  readonly #watching: RoomConnection;
  readonly #lines: Interface;
  readonly #screen: Screen | undefined;
  readonly #transcript: Transcript;
  readonly #style;
  /** What was sent goes one after the other, in the order of the lines. */
  #sending: Promise<void> = Promise.resolve();
  /** Answers to this person's own messages that have not ended. */
  readonly #awaited = new Set<string>();
  #left: (code: number) => void = () => undefined;
  #entered = false;
  #isLeaving = false;
  #isCancelling = false;
  #connection = 'connecting';
  /** What is being written, as it was drawn last. */
  #changing = '';

  constructor(
    private readonly me: SignedIn,
    private readonly conversation: ConversationView,
    private readonly model: string | undefined,
  ) {
    const { stdin, stdout } = process;
    const isTerminal = stdin.isTTY && stdout.isTTY;
    const { markdown, style } = lookOn(stdout);
    this.#style = style;
    this.#transcript = new Transcript(markdown, style, me.user.id);
    this.#lines = createInterface({
      input: stdin,
      ...(isTerminal && { output: stdout }),
      terminal: isTerminal,
      prompt: '> ',
    });
    if (stdout.isTTY) this.#screen = new Screen(stdout, isTerminal ? this.#lines : undefined);
    this.#watching = watchConversation(conversation.id, { url: me.url, getToken: () => me.token });
    if (isTerminal)
      stdin.on('keypress', () => {
        this.#watching.setTyping(this.#lines.line !== '' && !this.#lines.line.startsWith('/'));
      });
  }

  /** Resolves with the exit code when the user or the room has left. */
  run(): Promise<number> {
    const { id, title } = this.conversation;
    this.#note(`conversation:${id}${title === null ? '' : ` · ${title}`} · /help`);
    return new Promise((resolve) => {
      const interrupt = () => {
        this.#interrupt();
      };
      this.#left = (code) => {
        process.off('SIGINT', interrupt);
        process.off('SIGTERM', interrupt);
        this.#isLeaving = true;
        this.#lines.close();
        this.#watching.close();
        resolve(code);
      };
      this.#lines.on('line', (line) => {
        this.#enter(line);
      });
      this.#lines.on('close', () => {
        if (!this.#isLeaving) void this.#endOfInput();
      });
      this.#lines.on('SIGINT', interrupt);
      process.on('SIGINT', interrupt);
      process.on('SIGTERM', interrupt);
      this.#watching.subscribe(() => {
        this.#show();
      });
      this.#show();
    });
  }

  #show(): void {
    if (this.#isLeaving) return;
    const { room, connection } = this.#watching.getSnapshot();
    if (connection.state === 'closed') {
      this.#note(connection.error?.message ?? 'The connection was closed.');
      this.#left(1);
      return;
    }
    if (connection.state !== this.#connection) {
      if (connection.state === 'reconnecting') this.#note('the connection is lost; trying again');
      else if (connection.state === 'live' && this.#entered) {
        this.#note('back again');
        // What ended meanwhile and left nothing is not told any more.
        for (const id of this.#awaited)
          if (!room?.generations.some((live) => live.id === id)) this.#awaited.delete(id);
      }
      this.#connection = connection.state;
    }
    if (!room) return;
    this.#entered = true;
    const { finished, changing } = this.#transcript.update(room);
    this.#changing = changing;
    if (this.#screen) this.#screen.draw(finished, changing);
    else if (finished !== '') process.stdout.write(finished);
    for (const id of this.#awaited) if (hasAnswered(room, id)) this.#awaited.delete(id);
    if (room.deleted) {
      this.#note('The room was deleted.');
      this.#left(1);
    } else if (room.left.includes(this.me.user.id)) {
      this.#note('You are no member of the room any more.');
      this.#left(1);
    }
  }

  #enter(line: string): void {
    this.#screen?.eraseEntered(line);
    this.#watching.setTyping(false);
    const [, command, rest = ''] = /^\/(\w+)(?:\s+(.*))?$/s.exec(line.trim()) ?? [];
    if (line.trim() === '') this.#note('');
    else if (command === undefined) this.#send(line, true);
    else if (command === 'say' && rest !== '') this.#send(rest, false);
    else this.#command(command);
  }

  #command(command: string): void {
    const { http } = this.me;
    const { id } = this.conversation;
    switch (command) {
      case 'quit':
        this.#left(0);
        return;
      case 'cancel':
        this.#attempt(async () => {
          const { generations } = await http.cancelConversation(id);
          if (generations.length === 0) this.#note('nothing is being answered');
        });
        return;
      case 'invite':
        this.#attempt(async () => {
          const { url, expiresAt } = await http.createInvite(id);
          this.#note(`${url} (good until ${expiresAt.slice(0, 10)})`);
        });
        return;
      case 'people':
        this.#attempt(async () => {
          const { items } = await http.listMembers(id);
          const here = new Set(this.#watching.getSnapshot().room?.users.map((user) => user.id));
          const names = items.map(
            ({ user, role }) => `${user.name} (${role}${here.has(user.id) ? ', here' : ''})`,
          );
          this.#note(names.join(', '));
        });
        return;
      case 'help':
        this.#note(help);
        return;
      default:
        this.#note(`There is no /${command}.\n${help}`);
    }
  }

  #send(content: string, generate: boolean): void {
    if (!mayWrite(this.conversation.role)) {
      this.#note('You may read here, and not write.');
      return;
    }
    this.#attempt(async () => {
      const { generation } = await this.me.http.sendMessage(this.conversation.id, {
        content,
        generate: generate && this.model !== undefined ? { model: this.model } : generate,
      });
      const { room } = this.#watching.getSnapshot();
      if (generation && !(room && hasAnswered(room, generation.id))) this.#awaited.add(generation.id);
    });
  }

  #attempt(action: () => Promise<void>): void {
    this.#sending = this.#sending.then(action).catch((error: unknown) => {
      this.#note(messageOf(error));
    });
  }

  /** The answer first; the second time, or where there is none, oneself. */
  #interrupt(): void {
    const running = this.#watching.getSnapshot().room?.generations ?? [];
    if (running.length === 0 || this.#isCancelling || !mayWrite(this.conversation.role)) {
      this.#left(0);
      return;
    }
    this.#isCancelling = true;
    this.#note('stopping the answer');
    this.me.http
      .cancelConversation(this.conversation.id)
      .catch((error: unknown) => {
        this.#note(messageOf(error));
      })
      .finally(() => {
        this.#isCancelling = false;
      });
  }

  /** Input that is not from a terminal has ended: what it asked for is answered first. */
  async #endOfInput(): Promise<void> {
    await this.#sending;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (this.#entered && this.#awaited.size === 0) resolve();
      };
      this.#watching.subscribe(look);
      look();
    });
    this.#left(0);
  }

  #note(text: string): void {
    const line = text === '' ? '' : `${this.#style.note(harmless(text))}\n`;
    if (this.#screen) this.#screen.draw(line, this.#changing);
    else process.stdout.write(line);
  }
}

/** Whether the answer has ended, for who watches. */
const hasAnswered = (room: RoomState, generationId: string): boolean =>
  room.ended.has(generationId) ||
  room.messages.some((message) => message.generationId === generationId && message.status !== 'streaming');
