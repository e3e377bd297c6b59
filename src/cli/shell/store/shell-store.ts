/**
 * What the shell asks of a store, be it behind a server or embedded: the calls that client and store have in common, and the
 * few that differ in their form, in one. Whatever fails is a `KelpError` or a `StoreError`.
 */
import type { Entry, Key, KeyRange, StorageSizes, Store, StoreStatus } from '../../../api.ts';
import type { WhoAmI } from '../../../client/messages/access-types.ts';
import type { ClusterStatus, WatchMessage } from '../../../client/messages/types.ts';
import type { CollectionReads } from './collection-reads.ts';
import type { ExportSource } from '../../../transfer/contract/stores.ts';

type SharedCalls = Pick<Store, 'get' | 'put' | 'delete' | 'exists' | 'increment' | 'touch' | 'txn'>;

export interface ShellStore extends SharedCalls {
  /** Where it is, for people: an address, or a folder. */
  readonly place: string;
  /** Page by page, all at one revision. */
  scanPages(range: KeyRange, options: ScanOptions): AsyncIterable<readonly Entry[]>;
  keyPages(pattern: string): AsyncIterable<readonly Key[]>;
  /** Begins when it is first read; ends when `signal` is aborted. */
  watch(range: KeyRange, options: WatchOptions): AsyncIterable<WatchMessage<Entry>>;
  status(): Promise<ShellStatus>;
  /** Nothing of an embedded store, which asks for no login. */
  whoAmI(): Promise<WhoAmI | undefined>;
  snapshot(): Promise<{ readonly revision: number; readonly bytes: number }>;
  backup(signal: AbortSignal): AsyncIterable<Uint8Array>;
  readonly elements: CollectionReads;
  /** What exports read. */
  readonly exported: ExportSource;
  compact(revision: number): Promise<{ readonly oldestRevision: number }>;
  compactStorage(): Promise<StorageSizes>;
}

export interface ScanOptions {
  readonly keysOnly: boolean;
  /** From the last key to the first. */
  readonly reverse?: boolean;
  /** Of all pages together. */
  readonly limit?: number;
}

export interface WatchOptions {
  readonly signal: AbortSignal;
  readonly onInterrupted: (error: Error) => void;
  readonly onResumed: () => void;
}

/** An embedded store has no server to tell of. */
export interface ShellStatus extends StoreStatus, Partial<ClusterStatus> {
  readonly version?: string;
  readonly uptimeMs?: number;
  readonly residentBytes?: number;
}

/** The entry of a key, its value left out. */
export async function readWithoutValue(store: ShellStore, key: Key): Promise<Entry | undefined> {
  let found: Entry | undefined;
  for await (const [entry] of store.scanPages({ key }, { keysOnly: true, limit: 1 })) found ??= entry;
  return found;
}
