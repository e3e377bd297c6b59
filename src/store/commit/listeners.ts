/** Who is told of something. One that throws is told no more: what is wrong with a door must not stop the store. */
export class Listeners<Arguments extends readonly unknown[]> {
  readonly #onFailed: (error: Error) => void;
  #listeners: readonly ((...told: Arguments) => void)[] = [];

  constructor(onFailed: (error: Error) => void) {
    this.#onFailed = onFailed;
  }

  get isEmpty(): boolean {
    return this.#listeners.length === 0;
  }

  /** @returns what ends it. */
  add(listener: (...told: Arguments) => void): () => void {
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((each) => each !== listener);
    };
  }

  tell(...told: Arguments): void {
    for (const listener of this.#listeners) {
      try {
        listener(...told);
      } catch (error) {
        this.#listeners = this.#listeners.filter((each) => each !== listener);
        this.#onFailed(error instanceof Error ? error : new Error(String(error), { cause: error }));
      }
    }
  }
}
