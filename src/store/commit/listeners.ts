/** Who is told of something. One that throws is told no more: what is wrong with a door must not stop the store. */
export class Listeners<Arguments extends readonly unknown[]> {
  readonly #onFailed: (error: Error) => void;
  #listeners: readonly Listener<Arguments>[] = [];

  constructor(onFailed: (error: Error) => void) {
    this.#onFailed = onFailed;
  }

  get isEmpty(): boolean {
    return this.#listeners.length === 0;
  }

  /** @returns what ends it, at once. */
  add(listen: (...told: Arguments) => void): () => void {
    const listener = { listen, isEnded: false };
    this.#listeners = [...this.#listeners, listener];
    return () => this.#end(listener);
  }

  tell(...told: Arguments): void {
    for (const listener of this.#listeners) {
      if (listener.isEnded) continue;
      try {
        listener.listen(...told);
      } catch (error) {
        this.#end(listener);
        this.#onFailed(asError(error));
      }
    }
  }

  #end(listener: Listener<Arguments>): void {
    listener.isEnded = true;
    this.#listeners = this.#listeners.filter((each) => each !== listener);
  }
}

interface Listener<Arguments extends readonly unknown[]> {
  readonly listen: (...told: Arguments) => void;
  isEnded: boolean;
}

/** What was thrown, which may be anything. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}
