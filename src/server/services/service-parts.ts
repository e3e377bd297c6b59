/** What services stand on besides the store. */
import type { Access } from '../../access/access.ts';
import type { ClusterNode } from '../../cluster/node.ts';
import type { AccessAudit } from '../access/audit.ts';
import type { ClusterDoors } from '../cluster/cluster-doors.ts';
import type { ActivityFigures } from './activity.ts';

/** A node of a cluster, as services ask it. */
export interface ServedNode {
  readonly node: Pick<ClusterNode, 'status' | 'takeReport' | 'handOver'>;
  /** Where it is reached. */
  readonly address: string;
}

export interface ServiceParts {
  /** Of the product, as `Status` tells it. */
  readonly version: string;
  /** Of the server, as `Activity` tells it. */
  readonly activity: () => ActivityFigures;
  /** Of the store, once that is open. */
  readonly access: () => Access;
  /** `undefined`: the server is alone. Throws while the node is being opened. */
  readonly node: () => ServedNode | undefined;
  readonly audit: AccessAudit;
  /** Another node has shown itself, by a connection of this address. */
  readonly onNodeSeen?: ((address: string | undefined) => void) | undefined;
  /** `undefined`: the server is alone. */
  readonly cluster?: ClusterDoors | undefined;
  /** Whether users may do so much in a second. */
  readonly areRatesLimited: boolean;
}
