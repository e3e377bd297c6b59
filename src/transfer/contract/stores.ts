/**
 * What exports and imports ask of a store: calls of the `Store` contract, or those that the client has in their stead. So
 * a store in process and a client of a server can be given alike.
 */
import type {
  CountResult,
  Entry,
  ExistsResult,
  Key,
  KeyRange,
  Operation,
  ScanPage,
  TxnRequest,
} from '../../api.ts';

/** What an export reads from. */
export type ExportSource = StoreReads | ClientReads;

interface StoreReads {
  scan(
    range: KeyRange,
    options: { readonly revision: number; readonly limit: number; readonly pageToken: string },
  ): Promise<ScanPage>;
  count(range: KeyRange): Promise<CountResult>;
  backup(): AsyncIterable<Uint8Array>;
}

interface ClientReads {
  scan(range: KeyRange, options: { readonly revision: number; readonly signal?: AbortSignal }): PagedEntries;
  count(range: KeyRange): Promise<CountResult>;
  readonly admin: { backup(options: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array> };
}

export interface PagedEntries {
  pages(): AsyncIterable<{
    readonly items: readonly Entry[];
    readonly revision: number;
    readonly incarnation: string;
  }>;
}

/** What an import writes to. */
export interface ImportTarget {
  txn(request: ImportedBatch): Promise<{ readonly succeeded: boolean; readonly revision: number }>;
  exists(keys: readonly Key[]): Promise<ExistsResult>;
}

export type ImportedBatch = Required<Pick<TxnRequest, 'compares'>> & {
  readonly success: readonly Extract<Operation, { readonly kind: 'put' }>[];
};

/** What changes that are followed are written to. */
export interface FollowTarget extends ImportTarget {
  txn(request: FollowedBatch): Promise<{ readonly succeeded: boolean; readonly revision: number }>;
  touch(key: Key, options: { readonly ttlMs: number }): Promise<unknown>;
  count(range: KeyRange): Promise<CountResult>;
}

export type FollowedBatch = Required<Pick<TxnRequest, 'compares'>> & {
  readonly success: readonly FollowedOperation[];
};

export type FollowedOperation = Extract<
  Operation,
  { readonly kind: 'put' } | { readonly kind: 'delete' } | { readonly kind: 'deleteRange' }
>;

export function isClient(store: ExportSource): store is ClientReads {
  return 'admin' in store;
}
