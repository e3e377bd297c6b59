/** KelpDB as a library: the store that the server serves, in process. */
import './check-node.ts';
export {
  StoreError,
  isStoreError,
  type HistoryDetails,
  type PartDetails,
  type RevisionDetails,
  type StoreErrorCode,
} from './errors.ts';
export { defaults, fixed, type Limits } from './limits.ts';
export { openStore } from './kv/open-store.ts';
export { openBlobs, type BlobsOptions } from './blobs/open-blobs.ts';
export type { StoredBlob, BlobInfo, BlobListOptions, BlobStats, Blobs } from './blobs/blobs.ts';
export { exportTo, type ExportOptions, type ExportSummary } from './transfer/export.ts';
export { importFrom, type ImportOptions, type ImportSummary } from './transfer/import.ts';
export {
  TransferError,
  type ImportProgress,
  type TransferErrorCode,
} from './transfer/contract/transfer-error.ts';
export type { ExportSource, ImportTarget } from './transfer/contract/stores.ts';
export type { TransferFormat } from './transfer/contract/words.ts';
export type { OnProgress, Progress } from './progress.ts';
export { type StoreOptions } from './store/store-options.ts';
export type { RecoveryProgress } from './store/recovery/recovery-context.ts';
export type { OperatorEvent } from './store/operator-event.ts';
export type { Bytes } from './collections/bytes.ts';
export type { HashField, HashFields } from './collections/hash-fields.ts';
export type { Hashes } from './collections/hash.ts';
export type { Lists } from './collections/list.ts';
export type { Sets } from './collections/set.ts';
export type { Sketches } from './collections/sketch.ts';
export type { SortedSets } from './collections/sorted-set.ts';
export type {
  AddResult,
  BloomAddResult,
  BloomContainsResult,
  BloomCreateOptions,
  BoundedRange,
  ByName,
  ChangeResult,
  CombineResult,
  ContainsResult,
  CountedChangeResult,
  CreateOptions,
  Fields,
  HashDeleteResult,
  HashGetOptions,
  HashGetResult,
  HashScanOptions,
  HashSetOptions,
  HllAddResult,
  HllCountOptions,
  IndexRange,
  InsertOptions,
  InsertResult,
  ListEnd,
  ListRangeOptions,
  ListRangeResult,
  ListScanOptions,
  MemberBounds,
  MoveOptions,
  MoveResult,
  PopOptions,
  PopResult,
  PushOptions,
  RankBounds,
  RankOptions,
  RankResult,
  ReadOptions,
  RemoveOptions,
  RemoveResult,
  ScoreAggregate,
  ScoreBounds,
  ScoreConditions,
  ScoreIncrementOptions,
  ScoreIncrementResult,
  ScoreResult,
  ScoredMember,
  Scores,
  SetCombineOptions,
  SetOperation,
  SetScanOptions,
  SortedSetAddOptions,
  SortedSetAddResult,
  SortedSetCombineOptions,
  SortedSetPopOptions,
  SortedSetRange,
  SortedSetRangeOptions,
  TakeOptions,
  TakenMembers,
} from './collections/types.ts';
export type { Page, PagedList, PagedListOptions } from './paged-list.ts';
export type { EngineName } from './engine-names.ts';
export type { MemoryPolicy } from './memory-policies.ts';
export type { CollectionKind, CollectionOperation, CollectionResult } from './api-collections.ts';
export type {
  Admit,
  AllKeys,
  CloseOptions,
  Collections,
  Compare,
  Condition,
  CountOptions,
  CountResult,
  DeleteOptions,
  DeleteRangeOptions,
  DeleteRangeResult,
  DeleteReason,
  DeleteResult,
  DeletedRange,
  ElementChange,
  ElementChanges,
  Entry,
  EventType,
  ExistsResult,
  FsyncPolicy,
  GetLeaseOptions,
  GetManyOptions,
  GetManyResult,
  GetOptions,
  GetResult,
  IncrementOptions,
  IncrementResult,
  Key,
  KeyRange,
  KeysPage,
  Lease,
  LeaseGrant,
  LeasePage,
  NamedKey,
  Operation,
  OperationResult,
  PageOptions,
  PutOptions,
  PutResult,
  Relation,
  ScanPage,
  ScanPageOptions,
  StorageRun,
  StorageSizes,
  StorageStatus,
  Store,
  StoreStatus,
  TouchOptions,
  TouchResult,
  TxnRequest,
  TxnResult,
  Value,
  ValueType,
  WatchCurrent,
  WatchEvent,
  WatchEvents,
  WatchMessage,
  WatchProgress,
  WatchRequest,
  WatchSynced,
} from './api.ts';
