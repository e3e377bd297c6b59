/** A number that only rises, such as the visible revision or the applied position, and those that wait until it is high enough. */

interface Waiting {
  readonly wanted: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class RisingNumber {
  #value: number;
  readonly #waiting = new Set<Waiting>();
  #failure: Error | undefined;

  constructor(value: number) {
    this.#value = value;
  }

  get value(): number {
    return this.#value;
  }

  /** A lower one changes nothing. */
  riseTo(value: number): void {
    if (value <= this.#value) return;
    this.#value = value;
    for (const waiting of this.#waiting) {
      if (waiting.wanted > value) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }

  /** It rises no more: who waits is told so, and who comes later to wait. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  /** Resolves when it has reached `wanted`. Rejects with the signal's reason, and with what `fail` was given. */
  reached(wanted: number, signal?: AbortSignal): Promise<void> {
    if (wanted <= this.#value) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const leave = (): void => signal?.removeEventListener('abort', aborted);
      const waiting: Waiting = {
        wanted,
        resolve: () => {
          leave();
          resolve();
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const aborted = (): void => {
        this.#waiting.delete(waiting);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', aborted, { once: true });
      this.#waiting.add(waiting);
    });
  }
}
