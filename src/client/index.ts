/** The public face of the TypeScript client. */
import '../check-node.ts';
export type { ClientOptions, KelpClient } from './client.ts';
export { createClient } from './client.ts';
export type { TlsOptions } from './socket.ts';
export type { Entry } from './entry.ts';
export type { KelpErrorCode, KelpErrorDetails } from './error.ts';
export { KelpError, isKelpError } from './error.ts';
export type { GetLeaseOptions, GrantOptions, LeaseHandle, Leases } from './lease.ts';
export type { Page, PagedList } from './paging.ts';
export type { Admin } from './admin.ts';
export type {
  CallOptions,
  Compare,
  Condition,
  CountOptions,
  CountResult,
  DeleteOptions,
  DeleteRangeResult,
  DeleteResult,
  DeletedRange,
  ExistsResult,
  GetOptions,
  GetResult,
  IncrementOptions,
  IncrementResult,
  KeyRange,
  Lease,
  ListOptions,
  Operation,
  OperationResult,
  PutOptions,
  PutResult,
  Relation,
  ScanOptions,
  Status,
  TouchOptions,
  TouchResult,
  TxnRequest,
  TxnResult,
  Value,
} from './types.ts';
export type { ClientTransport } from './transport.ts';
export type { Watch } from './watch.ts';
export type { DeleteReason, EventType, WatchEvent, WatchMessage, WatchRequest } from './watch-message.ts';
