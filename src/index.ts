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
export { openStore, type StoreOptions } from './store/open-store.ts';
export type { RecoveryProgress } from './store/recovery.ts';
export type { StoreEvent } from './store/store-event.ts';
export type {
  Compare,
  Condition,
  CountResult,
  DeleteOptions,
  DeleteRangeResult,
  DeleteReason,
  DeleteResult,
  Entry,
  EventType,
  ExistsResult,
  FsyncPolicy,
  GetOptions,
  GetResult,
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
  TouchResult,
  TxnRequest,
  TxnResult,
  WatchEvent,
  WatchMessage,
  WatchRequest,
} from './store/store.ts';
