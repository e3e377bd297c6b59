/** The store of a server, through the client. */
import type { Entry, Key, KeyRange, StorageSizes, Store } from '../../../api.ts';
import type { KelpClient } from '../../../client/client.ts';
import type { WhoAmI } from '../../../client/messages/access-types.ts';
import type { CallOptions, WatchMessage } from '../../../client/messages/types.ts';
import { CollectionReads } from './collection-reads.ts';
import type { ScanOptions, ShellStatus, ShellStore, WatchOptions } from './shell-store.ts';

export class ClientStore implements ShellStore {
  readonly place: string;
  readonly #client: KelpClient;
  /** The deadline that was asked for, for calls that have a longer one by default. */
  readonly #askedFor: CallOptions;
  readonly get: Store['get'];
  readonly put: Store['put'];
  readonly delete: Store['delete'];
  readonly exists: Store['exists'];
  readonly increment: Store['increment'];
  readonly touch: Store['touch'];
  readonly txn: Store['txn'];
  readonly elements: CollectionReads;

  constructor(client: KelpClient, place: string, askedFor: CallOptions) {
    this.place = place;
    this.#client = client;
    this.#askedFor = askedFor;
    this.get = client.get.bind(client);
    this.put = client.put.bind(client);
    this.delete = client.delete.bind(client);
    this.exists = client.exists.bind(client);
    this.increment = client.increment.bind(client);
    this.touch = client.touch.bind(client);
    this.txn = client.txn.bind(client);
    this.elements = new CollectionReads(client);
  }

  async *scanPages(range: KeyRange, options: ScanOptions): AsyncIterable<readonly Entry[]> {
    for await (const { items } of this.#client.scan(range, options).pages()) yield items;
  }

  async *keyPages(pattern: string): AsyncIterable<readonly Key[]> {
    for await (const { items } of this.#client.keys(pattern).pages()) yield items;
  }

  watch(range: KeyRange, options: WatchOptions): AsyncIterable<WatchMessage<Entry>> {
    return this.#client.watch({ ranges: [range], ...options });
  }

  status(): Promise<ShellStatus> {
    return this.#client.admin.status();
  }

  whoAmI(): Promise<WhoAmI> {
    return this.#client.access.whoAmI();
  }

  snapshot(): Promise<{ readonly revision: number; readonly bytes: number }> {
    return this.#client.admin.snapshot(this.#askedFor);
  }

  backup(signal: AbortSignal): AsyncIterable<Uint8Array> {
    return this.#client.admin.backup({ ...this.#askedFor, signal });
  }

  get exported(): KelpClient {
    return this.#client;
  }

  compact(revision: number): Promise<{ readonly oldestRevision: number }> {
    return this.#client.admin.compact(revision, this.#askedFor);
  }

  compactStorage(): Promise<StorageSizes> {
    return this.#client.admin.compactStorage(this.#askedFor);
  }
}
