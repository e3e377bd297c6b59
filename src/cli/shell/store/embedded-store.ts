/** A store of this process, with no server at all. */
import type {
  Entry,
  Key,
  KeyRange,
  StorageSizes,
  Store,
  WatchEvent,
  WatchMessage as StoreMessage,
} from '../../../api.ts';
import type { WatchMessage } from '../../../client/messages/types.ts';
import { StoreError, isStoreError } from '../../../errors.ts';
import { type RecoveryProgress, openStore } from '../../../index.ts';
import { fixed } from '../../../limits.ts';
import { engineOfDirectory } from '../../../offline/directory-engine.ts';
import type { OnProgress } from '../../../progress.ts';
import { CollectionReads } from './collection-reads.ts';
import type { ScanOptions, ShellStatus, ShellStore, WatchOptions } from './shell-store.ts';

/** Rejects with a `StoreError`, one that says what to do when a server, or another shell, has the directory. */
export async function openEmbeddedStore(
  dataDir: string,
  onProgress: OnProgress = () => undefined,
): Promise<EmbeddedStore> {
  const onRecoveryProgress = ({ doneBytes, totalBytes }: RecoveryProgress): void =>
    onProgress({ work: 'reading the store', doneBytes, totalBytes });
  try {
    const engine = await engineOfDirectory(dataDir);
    return new EmbeddedStore(await openStore({ dataDir, engine, onRecoveryProgress }), dataDir);
  } catch (error) {
    if (!isStoreError(error, 'locked')) throw error;
    throw new StoreError(
      'locked',
      `another process has the data directory ${dataDir}; if it is a server, talk to that: kelp shell --address HOST:PORT`,
      { cause: error },
    );
  }
}

export class EmbeddedStore implements ShellStore, AsyncDisposable {
  readonly place: string;
  readonly #store: Store;
  readonly get: Store['get'];
  readonly put: Store['put'];
  readonly delete: Store['delete'];
  readonly exists: Store['exists'];
  readonly increment: Store['increment'];
  readonly touch: Store['touch'];
  readonly txn: Store['txn'];
  readonly elements: CollectionReads;

  constructor(store: Store, dataDir: string) {
    this.place = dataDir;
    this.#store = store;
    this.get = store.get.bind(store);
    this.put = store.put.bind(store);
    this.delete = store.delete.bind(store);
    this.exists = store.exists.bind(store);
    this.increment = store.increment.bind(store);
    this.touch = store.touch.bind(store);
    this.txn = store.txn.bind(store);
    this.elements = new CollectionReads(store);
  }

  async *scanPages(range: KeyRange, options: ScanOptions): AsyncIterable<readonly Entry[]> {
    const { limit = Number.POSITIVE_INFINITY, keysOnly, reverse = false } = options;
    let left = limit;
    let pageToken = '';
    do {
      const page = await this.#store.scan(range, {
        keysOnly,
        reverse,
        pageToken,
        limit: Math.min(left, fixed.pageLimitDefault),
      });
      yield page.entries;
      left -= page.entries.length;
      pageToken = page.nextPageToken;
    } while (pageToken !== '' && left > 0);
  }

  async *keyPages(pattern: string): AsyncIterable<readonly Key[]> {
    let pageToken = '';
    do {
      const page = await this.#store.keys(pattern, { pageToken });
      yield page.keys;
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  async *watch(range: KeyRange, { signal }: WatchOptions): AsyncIterable<WatchMessage<Entry>> {
    const { storeId } = this.#store;
    let events: WatchEvent[] = [];
    for await (const message of this.#store.watch({ ranges: [range], signal })) {
      if (message.kind === 'synced') yield { ...message, storeId };
      else if (message.kind !== 'events') yield message;
      else {
        for (const event of message.events) events.push(event);
        if (message.moreFragments) continue;
        yield wholeRevision(message, events);
        events = [];
      }
    }
  }

  status(): Promise<ShellStatus> {
    return this.#store.status();
  }

  whoAmI(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  snapshot(): Promise<{ readonly revision: number; readonly bytes: number }> {
    return this.#store.snapshot();
  }

  backup(): AsyncIterable<Uint8Array> {
    return this.#store.backup();
  }

  get exported(): Store {
    return this.#store;
  }

  compact(revision: number): Promise<{ readonly oldestRevision: number }> {
    return this.#store.compact(revision);
  }

  compactStorage(): Promise<StorageSizes> {
    return this.#store.compactStorage();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#store.close();
  }
}

function wholeRevision(
  last: Extract<StoreMessage, { kind: 'events' }>,
  events: WatchEvent[],
): WatchMessage<Entry> {
  const { kind, revision, incarnation, commitTimeMs } = last;
  return { kind, revision, incarnation, commitTimeMs, events };
}
