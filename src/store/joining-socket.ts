import { Socket } from 'node:net';

/**
 * A socket that sends the statements of one turn together. The driver corks around each, which makes a call of the kernel
 * for each; such a call, and the waking of who reads it, costs more than the statement.
 */
export class JoiningSocket extends Socket {
  #held = false;

  override cork(): void {
    super.cork();
    if (this.#held) return;
    this.#held = true;
    super.cork();
    process.nextTick(() => {
      this.#held = false;
      this.uncork();
    });
  }
}
