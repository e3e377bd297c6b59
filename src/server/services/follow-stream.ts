/**
 * The replies of `ClusterService.Follow`: the records behind a place, and then what comes. One piece is read ahead of the follower, and the
 * next when that has left for it. What was read is charged to the call, so that many followers can't take all memory.
 */
import type { FollowResponseShape } from '../../../gen/kelp/v1/cluster_codec.ts';
import { systemClock } from '../../clock.ts';
import { StoreError } from '../../errors.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { cluster as limits } from '../../limits.ts';
import { publicStoreId } from '../../store/directory/store-id.ts';
import type { FeedStep, FollowerPlace, RecordFeed, StoreHead } from '../../store/replication/record-feed.ts';
import type { Call } from '../calls/call.ts';

export class FollowStream {
  readonly #store: KvStore;
  readonly #call: Call;
  readonly #feed: RecordFeed;

  /**
   * @param storeId 16 bytes; none: any.
   * @throws StoreError `otherStore`, and what `Replica.records` does.
   */
  constructor(store: KvStore, after: FollowerPlace, storeId: Uint8Array, call: Call) {
    this.#store = store;
    this.#call = call;
    const { head } = store.seam;
    if (storeId.length > 0 && Buffer.compare(storeId, head.storeId) !== 0) throw otherStore(storeId, head);
    this.#feed = store.seam.records(after);
  }

  async *replies(signal: AbortSignal): AsyncGenerator<FollowResponseShape> {
    try {
      for (;;) {
        const step = await this.#feed.next();
        signal.throwIfAborted();
        for (const reply of repliesOf(step)) {
          this.#call.chargeReply(reply.records.length);
          yield reply;
          // Asked for more: this one is written.
          this.#call.releaseReply();
          signal.throwIfAborted();
        }
        if (step.head !== undefined) await this.#news(step.head.sequence, signal);
      }
    } finally {
      await this.#feed.close();
    }
  }

  /** Resolves when something has become durable since, or it is time for a sign of life. Rejects with the signal's reason. */
  #news(sequence: number, signal: AbortSignal): Promise<void> {
    const { seam } = this.#store;
    if (seam.head.sequence > sequence) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = seam.onDurable(() => resolve());
    const timer = systemClock.setTimer(limits.heartbeatMs, resolve);
    const aborted = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', aborted, { once: true });
    return promise.finally(() => {
      stop();
      timer.cancel();
      signal.removeEventListener('abort', aborted);
    });
  }
}

/** A step in messages: all but the last are full, and the head comes with the last. */
function* repliesOf({ records, head }: FeedStep): Generator<FollowResponseShape> {
  const { followBytesMax } = limits;
  let offset = 0;
  for (; records.length - offset > followBytesMax; offset += followBytesMax)
    yield { records: records.subarray(offset, offset + followBytesMax), isPartial: true, head: undefined };
  const rest = records.subarray(offset);
  if (rest.length > 0 || head !== undefined) yield { records: rest, isPartial: false, head };
}

function otherStore(storeId: Uint8Array, head: StoreHead): StoreError {
  const [requestedStoreId, here] = [publicStoreId(storeId), publicStoreId(head.storeId)];
  return new StoreError(
    'otherStore',
    `this is another store: the follower is of ${requestedStoreId}, and this is ${here}`,
    {
      requestedStoreId,
      storeId: here,
    },
  );
}
