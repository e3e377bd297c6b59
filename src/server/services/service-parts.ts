/** What services stand on besides the store. */
import type { Access } from '../../access/access.ts';
import type { AccessAudit } from '../access/audit.ts';
import type { ClusterDoors } from '../cluster/cluster-doors.ts';
import type { ActivityFigures } from './activity.ts';

export interface ServiceParts {
  /** Of the product, as `Status` tells it. */
  readonly version: string;
  /** Of the server, as `Activity` tells it. */
  readonly activity: () => ActivityFigures;
  /** Of the store, once that is open. */
  readonly access: () => Access;
  readonly audit: AccessAudit;
  /** `undefined`: the server is alone. */
  readonly cluster?: ClusterDoors | undefined;
  /** Whether users may do so much in a second. */
  readonly areRatesLimited: boolean;
}
