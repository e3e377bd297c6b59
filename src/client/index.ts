/** The public face of the TypeScript client. */
import '../check-node.ts';
export type { CollectionKind, CollectionOperation, CollectionResult } from '../api-collections.ts';
export type { ClientOptions } from './client-options.ts';
export type {
  Credentials,
  CredentialsSource,
  PasswordCredentials,
  TokenCredentials,
} from './calls/credentials.ts';
export type { KelpClient } from './client.ts';
export { createClient } from './traced-client.ts';
export type { TlsOptions, TlsSource } from './connection/socket.ts';
export type { Entry } from './messages/entry.ts';
export type { KelpErrorCode, KelpErrorDetails } from './errors/error.ts';
export { KelpError, isKelpError } from './errors/error.ts';
export type { LeaseHandle, Leases } from './lease.ts';
export type { Page, PagedList } from './paging/paged-list.ts';
export type { Access } from './access.ts';
export type { Admin } from './admin.ts';
export type {
  CreateTokenOptions,
  CreateUserOptions,
  Grant,
  GrantedKeys,
  Permission,
  Role,
  SetPasswordOptions,
  Token,
  User,
  WhoAmI,
} from './messages/access-types.ts';
export type {
  AllKeys,
  Compare,
  Condition,
  CountResult,
  DeleteReason,
  DeletedRange,
  ElementChange,
  ElementChanges,
  EventType,
  ExistsResult,
  IncrementResult,
  Key,
  KeyRange,
  Lease,
  NamedKey,
  Operation,
  Relation,
  Value,
  ValueType,
} from '../api.ts';
export type {
  Activity,
  CallOptions,
  CountOptions,
  DeleteOptions,
  DeleteRangeOptions,
  DeleteRangeResult,
  DeleteResult,
  GetLeaseOptions,
  GetOptions,
  GetResult,
  GrantOptions,
  IncrementOptions,
  ListOptions,
  MethodActivity,
  OperationResult,
  PrefixActivity,
  PutOptions,
  PutResult,
  ScanOptions,
  Status,
  TouchOptions,
  TouchResult,
  TxnRequest,
  TxnResult,
  WatchEvent,
  WatchMessage,
  WatchRequest,
} from './messages/types.ts';
export type { Hashes } from './collections/hash.ts';
export type { Lists } from './collections/list.ts';
export type { Sets } from './collections/set.ts';
export type { Sketches } from './collections/sketch.ts';
export type { SortedSets } from './collections/sorted-set.ts';
export type { Bytes } from './messages/collections/bytes.ts';
export type { HashField, HashFields } from './messages/collections/hash-fields.ts';
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
} from './messages/collections/types.ts';
export type { ClientTransport } from './transports/client-transport.ts';
export type { Watch } from './watch.ts';
