/** What each event tells, by its name. */
type Told<Events> = Record<keyof Events, unknown[]>;

type Listeners<Events extends Told<Events>> = {
  [E in keyof Events]?: Set<(...told: Events[E]) => void>;
};

/** Listeners by the name of what they hear of; one that throws disturbs no other. */
export class Emitter<Events extends Told<Events>> {
  readonly #listeners: Listeners<Events> = {};

  /** Returns the way out. */
  on<E extends keyof Events>(event: E, listener: (...told: Events[E]) => void): () => void {
    const listeners: Set<(...told: Events[E]) => void> = (this.#listeners[event] ??= new Set());
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  emit<E extends keyof Events>(event: E, ...told: Events[E]): void {
    for (const listener of [...(this.#listeners[event] ?? [])])
      try {
        listener(...told);
      } catch (error) {
        // Its fault is its owner's to hear of, as with any event of the platform.
        queueMicrotask(() => {
          throw error;
        });
      }
  }
}
