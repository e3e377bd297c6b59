/**
 * Ranges of a transaction that read an older state: they are read before it is decided, since such a state does not change any
 * more, and what is long is read in pieces.
 */
import type { RangeRequestShape, TxnRequestShape } from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { isStoreError } from '../../../errors.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import type { Call } from '../../calls/call.ts';
import { etcdError } from '../errors.ts';
import { fromEtcd } from '../revisions.ts';
import { planOf } from './range-plan.ts';
import { type RangeResult, readState } from './range.ts';

export class OldRanges {
  readonly #results = new Map<RangeRequestShape, RangeResult>();
  /** What was the newest revision when they were read. */
  #newest = 0;

  /** @param txn stays as it is. */
  async read(store: KvStore, txn: TxnRequestShape, call: Call): Promise<void> {
    // Once it is durable it can be read.
    this.#newest = await store.decide((view) => view.revision);
    for (const request of oldRangesIn(txn)) {
      const revision = fromEtcd(request.revision);
      if (revision >= this.#newest) continue;
      try {
        const state = { revision, instantMs: 0 };
        this.#results.set(request, await readState(store, planOf(request), call, undefined, state));
      } catch (error) {
        // The transaction may not come to it.
        if (!isStoreError(error, 'revisionCompacted')) throw error;
      }
    }
  }

  /** What a range of the transaction has read. Throws what there is in place of it. */
  resultOf(request: RangeRequestShape): RangeResult {
    const result = this.#results.get(request);
    if (result !== undefined) return result;
    throw etcdError(fromEtcd(request.revision) < this.#newest ? 'compacted' : 'futureRevision');
  }
}

export function hasOldRanges(txn: TxnRequestShape): boolean {
  return oldRangesIn(txn).next().done !== true;
}

/** In both branches, to their depth. */
function* oldRangesIn({ success, failure }: TxnRequestShape): Generator<RangeRequestShape> {
  for (const { request } of [...success, ...failure]) {
    if (request.case === 'requestTxn') yield* oldRangesIn(request.value);
    else if (request.case === 'requestRange' && request.value.revision > 0) yield request.value;
  }
}
