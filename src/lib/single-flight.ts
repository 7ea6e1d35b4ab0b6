/** Calls with the same key that come while one is under way share its result. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>();

  do(key: string, work: () => Promise<T>): Promise<T> {
    let flight = this.#flights.get(key);
    if (!flight) {
      flight = work().finally(() => this.#flights.delete(key));
      this.#flights.set(key, flight);
    }
    return flight;
  }
}
