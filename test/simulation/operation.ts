/** The calls that are decided by the newest state; each is run by a store, and by the model at the same instant. */
import { runSteps, type Step } from './collections/steps.ts';
import { partsOf } from './collections/opened-store.ts';
import type { DeleteOptions, KeyRange, PutOptions, Store, TxnRequest } from '../../src/api.ts';

export type Operation =
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array; readonly options: PutOptions }
  | { readonly kind: 'delete'; readonly key: string; readonly options: DeleteOptions }
  | { readonly kind: 'deleteRange'; readonly range: KeyRange; readonly inParts: boolean }
  | { readonly kind: 'count'; readonly range: KeyRange }
  | { readonly kind: 'increment'; readonly key: string; readonly delta: bigint; readonly ttlMs: number }
  | { readonly kind: 'touch'; readonly key: string; readonly ttlMs: number | undefined }
  | { readonly kind: 'refresh'; readonly key: string }
  | { readonly kind: 'txn'; readonly request: TxnRequest }
  | { readonly kind: 'collections'; readonly steps: readonly Step[] }
  | { readonly kind: 'grantLease'; readonly ttlMs: number; readonly leaseId: number }
  | { readonly kind: 'renewLease'; readonly leaseId: number }
  | { readonly kind: 'revokeLease'; readonly leaseId: number }
  | { readonly kind: 'getLease'; readonly leaseId: number }
  | { readonly kind: 'listLeases' };

/** Makes the call. */
export function callStore(store: Store, operation: Operation): Promise<unknown> {
  switch (operation.kind) {
    case 'put':
      return store.put(operation.key, operation.value, operation.options);
    case 'delete':
      return store.delete(operation.key, operation.options);
    case 'deleteRange':
      return store.deleteRange(operation.range, { inParts: operation.inParts });
    case 'count':
      return store.count(operation.range);
    case 'increment': {
      const { key, delta, ttlMs } = operation;
      return store.increment(key, delta, ttlMs === 0 ? {} : { ttlMs });
    }
    case 'touch': {
      const { key, ttlMs } = operation;
      return store.touch(key, ttlMs === undefined ? {} : { ttlMs });
    }
    case 'refresh':
      return store.get(operation.key, { refreshTtl: true });
    case 'txn':
      return store.txn(operation.request);
    case 'collections': {
      const { kv, ids } = partsOf(store);
      return kv.transact((view) => {
        ids.listen(view);
        return runSteps(view, operation.steps);
      });
    }
    case 'grantLease':
      return store.grantLease(operation.ttlMs, operation.leaseId);
    case 'renewLease':
      return store.renewLease(operation.leaseId);
    case 'revokeLease':
      return store.revokeLease(operation.leaseId);
    case 'getLease':
      return store.getLease(operation.leaseId, { includeKeys: true });
    case 'listLeases':
      return store.listLeases();
  }
}
