/** KelpDB as a library: the store that the server serves, in process. */
import './check-node.ts';
export {
  StoreError,
  isStoreError,
  type HistoryDetails,
  type RevisionDetails,
  type StoreErrorCode,
} from './errors.ts';
export { defaults, fixed, type Limits } from './limits.ts';
export { openStore } from './kv/open-store.ts';
export { type StoreOptions } from './store/open-durable-store.ts';
export type { RecoveryProgress } from './store/recovery/recovery.ts';
export type { OperatorEvent } from './store/operator-event.ts';
export type {
  Compare,
  Condition,
  CountOptions,
  CountResult,
  DeleteOptions,
  DeleteRangeResult,
  DeleteReason,
  DeleteResult,
  DeletedRange,
  Entry,
  EventType,
  ExistsResult,
  FsyncPolicy,
  GetLeaseOptions,
  GetOptions,
  GetResult,
  IncrementOptions,
  IncrementResult,
  KeyRange,
  KeysPage,
  Lease,
  LeaseGrant,
  LeasePage,
  Operation,
  OperationResult,
  PageOptions,
  PutOptions,
  PutResult,
  Relation,
  ScanPage,
  ScanPageOptions,
  Store,
  StoreStatus,
  TouchOptions,
  TouchResult,
  TxnRequest,
  TxnResult,
  Value,
  WatchEvent,
  WatchMessage,
  WatchRequest,
} from './api.ts';
