import { isDeepStrictEqual } from 'node:util';
import { textOf, type ContentBlock } from '../../../src/domain/content.js';
import { hasEnded } from '../../../src/domain/generation.js';
import { isAtOrBefore } from '../../../src/wire/cursor.js';
import type { RoomEvent, RoomEventOf } from '../../../src/wire/room-events.js';
import {
  isTerminal,
  type ClientHistory,
  type ExpectedAnswer,
  type TerminalEvent,
  type Violation,
  type ViolationKind,
} from './history.js';

interface Held {
  text: string;
  ended: boolean;
  /** Its terminal event has come since the last snapshot. */
  terminal: boolean;
}

/** What came between two snapshots. */
interface Segment {
  client: string;
  first: string;
  last: string;
  cursors: Set<string>;
}

interface RoomFindings {
  /** The text of each generation at each cursor, and who has said so. */
  texts: Map<string, { text: string; client: string }>;
  /** What snapshots show of each generation that has not ended, at each cursor. */
  shown: Map<string, { content: readonly ContentBlock[]; client: string }>;
  /** With which text each generation has ended, and who has said so. */
  ends: Map<string, { text: string; client: string }>;
  /** Entries that are never joined, by cursor: what they are. */
  solid: Map<string, string>;
  segments: Segment[];
}

/**
 * Checks the promise of the room log (contract §1) on what clients saw: one order, nothing lost, nothing twice, the same
 * text at the same cursor, the same content in snapshots of one cursor, and one end for each generation, with one text for
 * everybody. It folds the events by itself, so that it does not share a mistake with the product's client. Histories in
 * which somebody clears, edits or deletes are not for it.
 *
 * @param expected what the model sent, by generation; those that are not named are checked against each other alone
 */
export function checkHistories(
  histories: readonly ClientHistory[],
  expected: ReadonlyMap<string, ExpectedAnswer> = new Map(),
): Violation[] {
  const violations: Violation[] = [];
  const rooms = new Map<string, RoomFindings>();
  for (const history of histories) {
    const room = rooms.get(history.room) ?? newFindings();
    rooms.set(history.room, room);
    new ClientCheck(history, room, expected, violations).run();
  }
  for (const room of rooms.values()) violations.push(...missingEntries(room));
  return violations;
}

const newFindings = (): RoomFindings => ({
  texts: new Map(),
  shown: new Map(),
  ends: new Map(),
  solid: new Map(),
  segments: [],
});

/** An entry that one client saw, every client saw whose view goes on past it. */
function missingEntries({ solid, segments }: RoomFindings): Violation[] {
  const violations: Violation[] = [];
  for (const { client, first, last, cursors } of segments)
    for (const [cursor, what] of solid) {
      const passed = isAtOrBefore(first, cursor) && isAtOrBefore(cursor, last) && cursor !== first;
      if (passed && !cursors.has(cursor))
        violations.push({ kind: 'loss', client, detail: `${what} at ${cursor} is missing` });
    }
  return violations;
}

class ClientCheck {
  readonly #held = new Map<string, Held>();
  #segment: Segment | undefined;

  constructor(
    private readonly history: ClientHistory,
    private readonly room: RoomFindings,
    private readonly expected: ReadonlyMap<string, ExpectedAnswer>,
    private readonly violations: Violation[],
  ) {}

  run(): void {
    const { events, early } = this.history;
    for (const { type } of early) this.#report('early', `${type} came before the ack of its join`);
    for (const event of events) {
      if (event.type === 'snapshot') this.#snapshot(event);
      else if (event.cursor !== undefined) this.#logged(event, event.cursor);
    }
    for (const [id, { ended }] of this.#held) if (!ended) this.#report('end', `generation ${id} has no end`);
  }

  #snapshot({ snapshot, cursor = '' }: RoomEventOf<'snapshot'>): void {
    const before = [...this.#held.keys()];
    this.#held.clear();
    const generations = 'generations' in snapshot ? snapshot.generations : [snapshot.generation];
    const messages = 'messages' in snapshot ? snapshot.messages : [];
    for (const { generationId, text } of messages)
      if (generationId !== null) {
        this.#hold(generationId, { text, ended: true, terminal: false });
        this.#compareEnd(generationId, text);
      }
    for (const { id, content, status } of generations) {
      const ended = hasEnded(status);
      this.#hold(id, { text: textOf(content), ended, terminal: false });
      if (!ended) this.#compareShown(id, cursor, content);
    }
    // One that ended without a word has no message; old ones are not in it.
    for (const id of before)
      if (!this.#held.has(id)) this.#held.set(id, { text: '', ended: true, terminal: false });
    this.#segment = { client: this.history.client, first: cursor, last: cursor, cursors: new Set([cursor]) };
    this.room.segments.push(this.#segment);
    this.#compare(cursor);
  }

  #logged(event: RoomEvent, cursor: string): void {
    const segment = this.#segment;
    if (!segment) {
      this.#report('early', `${event.type} came before the first snapshot`);
      return;
    }
    if (segment.cursors.has(cursor)) {
      this.#report('double', `${event.type} at ${cursor} came twice`);
      return;
    }
    if (isAtOrBefore(cursor, segment.last))
      this.#report('order', `${event.type} at ${cursor} came behind ${segment.last}`);
    segment.cursors.add(cursor);
    segment.last = cursor;
    this.#apply(event, cursor);
    this.#compare(cursor);
  }

  #apply(event: RoomEvent, cursor: string): void {
    if (event.type === 'generation.chunk') {
      const { chunk, generationId } = event;
      if (chunk.type !== 'content_block_delta') this.#solid(cursor, `${generationId} ${chunk.type}`);
      else if (chunk.delta.type === 'text_delta') this.#write(generationId, chunk.delta.text, cursor);
      return;
    }
    this.#solid(cursor, event.type);
    if (isTerminal(event)) {
      this.#end(event);
      return;
    }
    switch (event.type) {
      case 'generation.waiting':
      case 'generation.queued':
      case 'generation.started':
        if (!this.#held.has(event.generationId))
          this.#hold(event.generationId, { text: '', ended: false, terminal: false });
        break;
      case 'generation.reset': {
        const held = this.#held.get(event.generationId);
        if (held && !held.ended) held.text = '';
        break;
      }
      default:
        break;
    }
  }

  #write(generationId: string, text: string, cursor: string): void {
    const held = this.#held.get(generationId);
    if (!held) {
      this.#report('loss', `a text at ${cursor} is of generation ${generationId}, which nothing announced`);
      return;
    }
    if (held.terminal) this.#report('end', `generation ${generationId} is written behind its end`);
    // A snapshot may know of an end that the log has still to tell.
    if (held.ended) return;
    held.text += text;
    this.#checkText(generationId, held.text, `at ${cursor}`);
  }

  #end({ generationId, generation, message, cursor, type }: TerminalEvent): void {
    const held = this.#held.get(generationId);
    if (held?.terminal) this.#report('end', `generation ${generationId} has ended twice`);
    const final = message?.text ?? '';
    // What was written while Redis was away comes with the end alone.
    if (held && !held.ended && !final.startsWith(held.text) && message !== null)
      this.#report('text', `${type} at ${cursor ?? ''} does not go on from what was written`);
    if (held && !held.ended && held.text !== '' && message === null)
      this.#report('loss', `${type} at ${cursor ?? ''} keeps nothing of what was written`);
    const answer = this.expected.get(generationId);
    this.#checkText(generationId, final, 'in its end');
    this.#compareEnd(generationId, final);
    const isWhole = generation.status === 'completed' ? final === answer?.text : answer?.mayEndEarly;
    if (answer && !isWhole)
      this.#report('loss', `generation ${generationId} has ${generation.status} without its whole text`);
    this.#held.set(generationId, { text: final, ended: true, terminal: true });
  }

  #hold(generationId: string, held: Held): void {
    this.#held.set(generationId, held);
    this.#checkText(generationId, held.text, 'in a snapshot');
  }

  /** At one cursor there is one text, whoever holds it and however it came there. */
  #compare(cursor: string): void {
    for (const [id, { text, ended }] of this.#held) {
      if (ended) continue;
      const key = `${cursor} ${id}`;
      const known = this.room.texts.get(key);
      if (!known) this.room.texts.set(key, { text, client: this.history.client });
      else if (known.text !== text)
        this.#report(
          'disagreement',
          `of generation ${id} it holds ${tail(text)} at ${cursor}, ${known.client} ${tail(known.text)}`,
        );
    }
  }

  /** Snapshots of one cursor show the same, to the last block. */
  #compareShown(id: string, cursor: string, content: readonly ContentBlock[]): void {
    const key = `${cursor} ${id}`;
    const known = this.room.shown.get(key);
    if (!known) this.room.shown.set(key, { content, client: this.history.client });
    else if (!isDeepStrictEqual(known.content, content))
      this.#report(
        'disagreement',
        `a snapshot at ${cursor} shows of generation ${id} ${tail(JSON.stringify(content))}, that of ${known.client} ${tail(JSON.stringify(known.content))}`,
      );
  }

  /** A generation ends with one text, whoever is told of it and however. */
  #compareEnd(id: string, text: string): void {
    const known = this.room.ends.get(id);
    if (!known) this.room.ends.set(id, { text, client: this.history.client });
    else if (known.text !== text)
      this.#report(
        'disagreement',
        `generation ${id} ended with ${tail(text)}, for ${known.client} with ${tail(known.text)}`,
      );
  }

  #solid(cursor: string, what: string): void {
    this.room.solid.set(cursor, what);
  }

  #checkText(generationId: string, text: string, where: string): void {
    const answer = this.expected.get(generationId);
    if (answer && !answer.text.startsWith(text))
      this.#report('text', `generation ${generationId} is not what was sent, ${where}: ${tail(text)}`);
  }

  #report(kind: ViolationKind, detail: string): void {
    this.violations.push({ kind, client: this.history.client, detail });
  }
}

const tail = (text: string) => `…${text.slice(-40)}`;
