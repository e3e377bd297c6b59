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
export type { Mirror } from './mirror/mirror.ts';
export type { MirrorChange, MirrorEvent, MirrorOptions, MirrorSignals } from './mirror/types.ts';
export type { Codec, SchemaIssue, StandardSchema } from './namespace/codec.ts';
export { bytes, json, text } from './namespace/codec.ts';
export { protobuf } from './namespace/protobuf-codec.ts';
export type {
  Namespace,
  NamespaceOperation,
  NamespaceOptions,
  NamespaceTxn,
  NamespaceTxnResult,
} from './namespace/namespace.ts';
export type { TypedEntry } from './namespace/typed-entry.ts';
export { CodecError } from './namespace/given-codec.ts';
export type { Counter } from './recipes/counter.ts';
export type { Leader, Leadership } from './recipes/election.ts';
export type { Held } from './recipes/held.ts';
export type { Job } from './recipes/job.ts';
export type { DeadLetter, Queue } from './recipes/queue.ts';
export type { Recipes } from './recipes/recipes.ts';
export type {
  AdditionOptions,
  Addition,
  ElectOptions,
  EnqueueOptions,
  LeadersOptions,
  LockOptions,
  NackOptions,
  OnceOptions,
  OnceRun,
  QueueOptions,
  WorkerOptions,
} from './recipes/types.ts';
export type { Page, PagedList } from '../paged-list.ts';
export type { Access } from './access.ts';
export type { Admin } from './admin.ts';
export type { Cluster } from './cluster.ts';
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
  ClusterStatus,
  CallOptions,
  Consistency,
  CountOptions,
  DeleteOptions,
  DeleteRangeOptions,
  DeleteRangeResult,
  DeleteResult,
  GetLeaseOptions,
  GetOptions,
  GetResult,
  GrantOptions,
  HandoverOptions,
  IncrementOptions,
  KeysOptions,
  ListOptions,
  Member,
  Members,
  MethodActivity,
  OperationResult,
  PrefixActivity,
  PutOptions,
  PutResult,
  ReadCallOptions,
  ScanOptions,
  ServerRole,
  Status,
  TouchOptions,
  TouchResult,
  TxnRequest,
  TxnResult,
  WatchEvent,
  WatchMessage,
  Watch,
  WatchRequest,
} from './messages/types.ts';
export type { Bytes } from '../collections/bytes.ts';
export type { HashField, HashFields } from '../collections/hash-fields.ts';
export type {
  AddResult,
  BloomAddResult,
  BloomContainsResult,
  BoundedRange,
  ByName,
  ChangeResult,
  CombineResult,
  ContainsResult,
  CountedChangeResult,
  Fields,
  HashDeleteResult,
  HashGetResult,
  HllAddResult,
  IndexRange,
  InsertResult,
  ListEnd,
  ListRangeResult,
  MemberBounds,
  MoveResult,
  PopResult,
  RankBounds,
  RankResult,
  RemoveResult,
  ScoreAggregate,
  ScoreBounds,
  ScoreConditions,
  ScoreIncrementResult,
  ScoreResult,
  ScoredMember,
  Scores,
  SetOperation,
  SortedSetAddResult,
  SortedSetRange,
  TakenMembers,
} from '../collections/types.ts';
export type {
  BloomCreateOptions,
  CreateOptions,
  HashGetOptions,
  HashScanOptions,
  HashSetOptions,
  Hashes,
  HllCountOptions,
  InsertOptions,
  ListRangeOptions,
  ListScanOptions,
  Lists,
  MoveOptions,
  PopOptions,
  PushOptions,
  RankOptions,
  ReadOptions,
  RemoveOptions,
  ScoreIncrementOptions,
  SetCombineOptions,
  SetScanOptions,
  Sets,
  Sketches,
  SortedSetAddOptions,
  SortedSetCombineOptions,
  SortedSetPopOptions,
  SortedSetRangeOptions,
  SortedSets,
  TakeOptions,
} from './messages/collections/types.ts';
export type { ClientTransport } from './transports/client-transport.ts';
