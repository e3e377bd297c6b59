/** What can be wrong with the request of a watch, besides its ranges and types: where it is to begin, and how often it speaks. */
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { History } from '../history/history.ts';
import { checkIncarnation, checkPlace, type Present } from '../history/place.ts';
import type { WatchMessage, WatchRequest } from '../../api.ts';
import { isPublicStoreId } from '../directory/store-id.ts';

/** What a watch may begin with. */
export interface StartBounds extends Present {
  readonly storeId: string;
  readonly history: History;
}

/** @returns the first revision to send; 0: only what comes from now on. */
export function checkStart(request: WatchRequest, bounds: StartBounds): number {
  const { history, newestRevision } = bounds;
  const { startRevision = 0 } = request;
  checkStore(request.storeId, bounds.storeId);
  const incarnation = checkIncarnation(request.incarnation);
  if (startRevision === 0) return 0;
  if (request.includeCurrent === true) {
    throw new StoreError('invalidArgument', 'a watch has a startRevision or includeCurrent, not both');
  }
  checkPlace('the watch', { revision: startRevision - 1, incarnation }, bounds);
  const oldestStart =
    request.returnPrevious === true
      ? Math.max(history.oldestWatchRevision, history.oldestRevision + 1)
      : history.oldestWatchRevision;
  const details = { requestedRevision: startRevision, oldestRevision: oldestStart - 1, newestRevision };
  if (startRevision < oldestStart) {
    throw new StoreError(
      'revisionCompacted',
      `revision ${startRevision} is compacted; a watch can start at ${oldestStart} or later`,
      details,
    );
  }
  if (startRevision > newestRevision + 1) {
    throw new StoreError(
      'revisionFuture',
      `revision ${startRevision} lies in the future; the newest is ${newestRevision}, so a watch starts at ${newestRevision + 1} at most`,
      details,
    );
  }
  return startRevision;
}

/** Revisions of another store would be taken for those of this one. */
function checkStore(requestedStoreId = '', storeId: string): void {
  if (requestedStoreId === '' || requestedStoreId === storeId) return;
  if (!isPublicStoreId(requestedStoreId)) {
    throw new StoreError('invalidArgument', 'storeId is no id of a store: 32 hexadecimal digits');
  }
  throw new StoreError(
    'otherStore',
    `the watch goes on from store ${requestedStoreId}, but this is store ${storeId}: a backup was restored, or the data directory is a new one. Read the present state and watch from there`,
    { requestedStoreId, storeId },
  );
}

/** The time between two progress messages, in milliseconds. */
export function checkProgressInterval(intervalMs: number | undefined): number {
  if (intervalMs === undefined) return fixed.progressIntervalMsDefault;
  if (!Number.isFinite(intervalMs) || intervalMs < fixed.progressIntervalMsMin) {
    throw new StoreError(
      'invalidArgument',
      `the progress interval is ${fixed.progressIntervalMsMin} ms at least, not ${intervalMs} ms`,
    );
  }
  return intervalMs;
}

/** The watch, or other iteration, of a request that was refused: reading it tells why, once. */
export function failedWatch<Item = WatchMessage>(error: unknown): AsyncIterableIterator<Item> {
  const done: IteratorResult<Item> = { done: true, value: undefined };
  let isTold = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (isTold) return done;
      isTold = true;
      throw error;
    },
    async return() {
      isTold = true;
      return done;
    },
  };
}
