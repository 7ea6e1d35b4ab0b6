import { Allow, parse } from 'partial-json';
import type { StreamPart } from '../src/domain/content.js';
import type { JsonSchemas } from '../src/lib/json-schemas.js';
import { JsonScanner } from './json-scanner.js';

/** A value of the answer. */
export interface OutputObject {
  index: number;
  /** So far, where it is not complete. */
  value: unknown;
  complete: boolean;
}

interface StructuredOutputOptions {
  /** What the one value of the answer has to match; undefined: it may be any values, one after the other. */
  schema: Record<string, unknown> | undefined;
  schemas: JsonSchemas;
  /** Values that are not complete are told at most so often. */
  everyMs: number;
  /** `logged`: it has to reach everybody, else whoever misses it gets the next. */
  tell: (object: OutputObject, how: { logged: boolean }) => void;
}

/** The log of one generation has at most so much of values that are not complete, in UTF-16 code units. */
const maxLoggedPartials = 65_536;
/** Reading what there is takes at most this share of the time. */
const readingShare = 0.05;

/** Numbers and words are told when they are whole: half of a number is another number. */
const allowed = Allow.STR | Allow.OBJ | Allow.ARR;

/**
 * The JSON of an answer while it is written: tells the value so far, and at its end whether it is what was asked for.
 *
 * Complete values are told once, however often the stream is taken over; those that are not are the newest only.
 */
export class StructuredOutput {
  #scanner = new JsonScanner();
  #text = '';
  /** How many values were written before the round that is being written. */
  #before = 0;
  /** How many complete values have been told. */
  #told = 0;
  #lastTold = '';
  #logged = 0;
  #timer: NodeJS.Timeout | undefined;
  #isDirty = false;

  constructor(private readonly options: StructuredOutputOptions) {}

  /** The stream has got one more part. */
  apply(part: StreamPart): void {
    switch (part.type) {
      case 'content_block_start':
        if (part.content_block.type === 'text') this.#add(part.content_block.text);
        return;
      case 'content_block_delta':
        if (part.delta.type === 'text_delta') this.#add(part.delta.text);
        return;
      // What is said before tools are called is not the answer.
      case 'round_end':
      case 'tool_result':
        this.#begin();
        return;
      default:
        return;
    }
  }

  /** Takes over the stream from an earlier attempt, with what that has told. */
  resume(parts: readonly StreamPart[]): void {
    for (const part of parts) if (part.type === 'object') this.#told = Math.max(this.#told, part.index + 1);
    for (const part of parts) this.apply(part);
  }

  /** The stream starts over. */
  restart(): void {
    this.#begin();
    this.#before = 0;
    this.#told = 0;
  }

  /**
   * Checks the whole answer, and tells what is complete with it. Answers what is wrong, for the model; undefined: nothing.
   *
   * @throws the signal's reason
   */
  async finish(signal: AbortSignal): Promise<string | undefined> {
    this.#stopTimer();
    const { schema, schemas } = this.options;
    this.#complete(this.#scanner.end());
    const { faulty, count, isWhole } = this.#scanner;
    if (faulty) return 'it is not JSON, or has something besides JSON';
    if (!isWhole) return this.#text.trim() === '' ? 'it is empty' : 'it ends before its JSON does';
    if (!schema) return undefined;
    if (count > 1) return 'it has more than one value';
    const problems = await schemas.validate(schema, this.#text, signal);
    if (problems.length > 0) return problems.join('; ');
    this.#tellComplete(0, this.#text);
    return undefined;
  }

  /** The answer so far. */
  get text(): string {
    return this.#text;
  }

  close(): void {
    this.#stopTimer();
  }

  #begin(): void {
    this.#stopTimer();
    this.#before += this.#scanner.count;
    this.#scanner = new JsonScanner();
    this.#text = '';
    this.#lastTold = '';
  }

  #add(text: string): void {
    if (text === '') return;
    this.#text += text;
    this.#complete(this.#scanner.add(text));
    this.#isDirty = true;
    if (!this.#timer) this.#tellPartial();
  }

  /** Without a schema a value is complete when it is whole. */
  #complete(texts: readonly string[]): void {
    if (this.options.schema) return;
    for (const [at, text] of texts.entries()) {
      if (!isJson(text)) this.#scanner.faulty = true;
      const index = this.#before + this.#scanner.count - texts.length + at;
      if (!this.#scanner.faulty) this.#tellComplete(index, text);
    }
  }

  #tellComplete(index: number, json: string): void {
    if (index < this.#told) return;
    this.#told = index + 1;
    this.options.tell({ index, value: JSON.parse(json) as unknown, complete: true }, { logged: true });
  }

  #tellPartial(): void {
    this.#isDirty = false;
    const startedAt = performance.now();
    const object = this.#read();
    const json = object && JSON.stringify(object);
    if (object && json !== undefined && json !== this.#lastTold) {
      this.#lastTold = json;
      this.#logged += json.length;
      this.options.tell(object, { logged: this.#logged <= maxLoggedPartials });
    }
    const waitMs = Math.max(this.options.everyMs, (performance.now() - startedAt) / readingShare);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#isDirty) this.#tellPartial();
    }, waitMs);
  }

  /** The value that is being written. */
  #read(): OutputObject | undefined {
    const { schema } = this.options;
    const { partial, count, faulty } = this.#scanner;
    if (faulty) return undefined;
    // With a schema the one value is complete only when it has been checked.
    const isWhole = schema !== undefined && count === 1 && partial === '';
    const text = isWhole ? this.#text : partial;
    const index = schema ? 0 : this.#before + count;
    if (text === '' || index < this.#told || (schema && count > 1)) return undefined;
    try {
      return { index, value: parse(text, allowed) as unknown, complete: false };
    } catch {
      return undefined; // nothing can be told of it yet
    }
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isDirty = false;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
