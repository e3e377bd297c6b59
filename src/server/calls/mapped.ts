/**
 * The items of `source`, each made another. No generator: one that waits keeps the item that it has handed out, and a stream
 * that is not read would hold its message twice.
 */
export function mapped<From, To>(
  source: AsyncIterable<From>,
  map: (item: From) => To,
): AsyncIterableIterator<To> {
  return new Mapped(source[Symbol.asyncIterator](), map);
}

class Mapped<From, To> implements AsyncIterableIterator<To> {
  readonly #items: AsyncIterator<From>;
  readonly #map: (item: From) => To;

  constructor(items: AsyncIterator<From>, map: (item: From) => To) {
    this.#items = items;
    this.#map = map;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<To>> {
    const { done, value } = await this.#items.next();
    if (done === true) return DONE;
    try {
      return { done: false, value: this.#map(value) };
    } catch (error) {
      await this.#items.return?.();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<To>> {
    await this.#items.return?.();
    return DONE;
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
