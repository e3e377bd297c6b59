/** Streams that their reader may end at any moment, also while it waits for the next item. */
import { refuse } from '../errors/refuse.ts';

export interface Endable<Item> extends AsyncIterableIterator<Item, undefined> {
  /** Ends it. */
  return(): Promise<IteratorReturnResult<undefined>>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * @param make ends by itself when the signal is aborted.
 * @param wrong what a check has found of what it was asked with, the signal among it: reading it tells.
 */
export function endable<Item>(
  make: (ended: AbortSignal) => AsyncGenerator<Item, undefined, undefined>,
  signal: AbortSignal | undefined,
  wrong: string | undefined,
): Endable<Item> {
  const ending = new AbortController();
  const items = (async function* () {
    refuse(wrong);
    return yield* make(signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]));
  })();
  const end = async (): Promise<IteratorReturnResult<undefined>> => {
    ending.abort();
    await items.return(undefined);
    return { done: true, value: undefined };
  };
  return {
    next: () => items.next(),
    return: end,
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => void (await end()),
  };
}
