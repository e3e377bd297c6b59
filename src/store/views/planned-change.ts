/** A change of one key by a transaction, with what log, leases and watches need to know of it besides the engine. */
import type { DeleteReason, EventType } from '../../api.ts';
import type { Change } from '../../engine/version.ts';

export interface PlannedChange extends Change {
  readonly type: EventType;
  /** Only for a delete. */
  readonly reason: DeleteReason | undefined;
  /** Whether there was an entry before the transaction. */
  readonly hadEntry: boolean;
  /** A put on a key whose deadline had passed, which counts as absent. */
  readonly replacedExpired: boolean;
  /** The lease of the newest version before the transaction, overdue or not; 0: none. */
  readonly previousLeaseId: number;
  /** The collection that this version had; 0: none. */
  readonly previousCollectionId: number;
}
