/** How new what a read shows must be in a cluster, as its request says. */
import { Consistency } from '../../../gen/kelp/v1/types_codec.ts';
import { type Freshness, LINEARIZABLE } from '../cluster/read-gate.ts';
import type { ReadDemand } from './read-demand.ts';

/** What requests of kelp.v1 say of it, and those of etcd. */
type Asked = Partial<ReadDemand> & { readonly serializable?: boolean };

/** Whether what this node has will do. */
export function isLocal(request: unknown): boolean {
  const { consistency, serializable = false } = request as Asked;
  return serializable || consistency === Consistency.LOCAL;
}

/** What can't be asked for is refused by the method. */
export function freshnessOf(request: unknown): Freshness {
  const { minRevision = 0 } = request as Asked;
  const mayBeOld = isLocal(request);
  return mayBeOld || minRevision > 0 ? { isLocal: mayBeOld, minRevision } : LINEARIZABLE;
}
