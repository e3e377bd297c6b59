/**
 * Gives up waiting when a signal is aborted. What is waited for may go on: the calls of an embedded store take no signal, and
 * those of a client that have been sent take effect all the same.
 */

/** Rejects with the signal's reason. */
export async function untilAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Throws the signal's reason where the next page would come. */
export async function* pagesUntilAborted<Page>(
  pages: AsyncIterable<Page>,
  signal: AbortSignal,
): AsyncGenerator<Page, void, undefined> {
  const iterator = pages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await untilAborted(iterator.next(), signal);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // It ends when what it waits for has come, which is nothing to wait for here.
    iterator.return?.().catch(() => undefined);
  }
}
