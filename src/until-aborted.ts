/**
 * The items of `source` until it ends or `signal` is aborted, whose reason is thrown then; an item that is on its way is dropped.
 *
 * The source is not asked to return: an async generator that waits for its next item would let that wait as well.
 */
export function untilAborted<Item>(
  source: AsyncIterable<Item>,
  signal: AbortSignal,
): AsyncIterableIterator<Item> {
  return new UntilAborted(source[Symbol.asyncIterator](), signal);
}

/** Resolves when `promise` does; rejects when that does, and with the signal's reason. */
export async function untilSettled(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort);
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * One listener for all items. What it ends is a promise of one item: one that lived as long as the stream would gather what
 * waits for it.
 */
class UntilAborted<Item> implements AsyncIterableIterator<Item> {
  readonly #items: AsyncIterator<Item>;
  readonly #signal: AbortSignal;
  /** Of the one who waits for an item. */
  #resolve: ((result: IteratorResult<Item>) => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;

  constructor(items: AsyncIterator<Item>, signal: AbortSignal) {
    this.#items = items;
    this.#signal = signal;
    signal.addEventListener('abort', this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Item>> {
    if (this.#signal.aborted) return Promise.reject(this.#signal.reason as Error);
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#items.next().then(this.#came, this.#failed);
    });
  }

  return(): Promise<IteratorResult<Item>> {
    this.#end();
    return Promise.resolve(DONE);
  }

  /** Of the signal. */
  handleEvent(): void {
    this.#failed(this.#signal.reason);
  }

  readonly #came = (result: IteratorResult<Item>): void => {
    const resolve = this.#resolve;
    if (result.done === true) this.#end();
    resolve?.(result);
  };

  readonly #failed = (reason: unknown): void => {
    const reject = this.#reject;
    this.#end();
    reject?.(reason);
  };

  #end(): void {
    this.#signal.removeEventListener('abort', this);
    this.#resolve = this.#reject = undefined;
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
