/** How new what a read shows must be in a cluster, as its request says. */
import { Consistency } from '../../../gen/kelp/v1/types_codec.ts';
import { type Freshness, LINEARIZABLE } from '../cluster/read-gate.ts';
import type { ReadDemand } from './read-demand.ts';

/** What requests of kelp.v1 say of it, and those of etcd. */
type Asked = Partial<ReadDemand> & { readonly serializable?: boolean };

/** What can't be asked for is refused by the method. */
export function freshnessOf(request: unknown): Freshness {
  const { consistency, minRevision = 0, serializable = false } = request as Asked;
  const isLocal = serializable || consistency === Consistency.LOCAL;
  return isLocal || minRevision > 0 ? { isLocal, minRevision } : LINEARIZABLE;
}
