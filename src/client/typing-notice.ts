/** The server forgets a typist after 5 s: renewed well before. */
const renewMs = 3000;

/** Turns keystrokes into few notices: one at the start, one every three seconds after it, and one at the end. */
export class TypingNotice {
  #toldAt: number | null = null;

  constructor(
    private readonly tell: (typing: boolean) => void,
    private readonly now: () => number = Date.now,
  ) {}

  set(typing: boolean): void {
    const isTold = this.#toldAt !== null && this.now() - this.#toldAt < renewMs;
    if (typing ? isTold : this.#toldAt === null) return;
    this.#toldAt = typing ? this.now() : null;
    this.tell(typing);
  }
}
