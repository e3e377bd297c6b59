/**
 * The items of `source` until it ends or `signal` is aborted; an item that is on its way then is dropped.
 *
 * The source is not asked to return: an async generator that waits for its next item would let that wait as well.
 */
export async function* untilAborted<Item>(
  source: AsyncIterable<Item>,
  signal: AbortSignal,
): AsyncGenerator<Item, void> {
  const items = source[Symbol.asyncIterator]();
  while (!signal.aborted) {
    const next = await nextOrAborted(items, signal);
    if (next === undefined || next.done === true) return;
    yield next.value;
  }
}

/** Made anew for each item: a promise that lived as long as the stream would gather what waits for it. */
function nextOrAborted<Item>(
  items: AsyncIterator<Item>,
  signal: AbortSignal,
): Promise<IteratorResult<Item> | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<Item> | undefined>();
  const onAbort = (): void => resolve(undefined);
  signal.addEventListener('abort', onAbort);
  items.next().then(resolve, reject);
  return promise.finally(() => signal.removeEventListener('abort', onAbort));
}
