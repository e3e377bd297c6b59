/** A store in this process on one of the engines. Gets and scans go by its seam, so that they cost what the engine takes and little more. */
import type { StorageStatus } from '../../src/api.ts';
import type { EngineName } from '../../src/engine-names.ts';
import type { EngineRange } from '../../src/engine/engine.ts';
import { openUncheckedStore } from '../../src/kv/open-store.ts';
import { USER_KEYS } from '../../src/store/views/regions.ts';
import { dataBytes } from '../load/memory.ts';
import type { Subject, SubjectKind } from './subject.ts';
import { underWay } from '../load/under-way.ts';

type BenchStore = Awaited<ReturnType<typeof openUncheckedStore>>;

/** As many calls of one turn the store gathers. */
const PUTS_UNDER_WAY = 256;
/** One request may look at some more; so many values have room in what it may read. */
const SCANNED_AT_ONCE = 10_000;
const GETS_AT_ONCE = 1000;
const RANKS_AT_ONCE = 50;
const SETTLED_AFTER_MS = 300;
const LOOK_MS = 20;
const MiB = 1024 * 1024;
/** Less would have no room for what is written while a checkpoint is under way. */
const MEMORY_BYTES_MIN = 32 * MiB;
/** What the keys of `bitcask` take each, and what it may have besides. */
const INDEX_BYTES_PER_KEY = 100;
const BESIDES_INDEX_BYTES = 64 * MiB;

export function storeOn(engine: EngineName): SubjectKind {
  return {
    open: (context, directory, memoryBytesMax) => StoreSubject.open(engine, directory, memoryBytesMax),
    memoryBytesMax(keyCount) {
      if (engine === 'memory') return 16 * dataBytes(keyCount) + 64 * MiB;
      if (engine === 'bitcask') return INDEX_BYTES_PER_KEY * keyCount + BESIDES_INDEX_BYTES;
      return Math.max(MEMORY_BYTES_MIN, Math.floor(dataBytes(keyCount) / 4));
    },
  };
}

class StoreSubject implements Subject {
  readonly hasFiles: boolean;
  readonly #store: BenchStore;

  static async open(engine: EngineName, directory: string, memoryBytesMax: number): Promise<StoreSubject> {
    // No history but what the turns under way need: it would be in memory, which is what is measured.
    const limits = {
      historyRevisionsMax: 1000,
      logRetentionBytes: 0,
      snapshotLogBytes: Number.MAX_SAFE_INTEGER,
      closeSnapshotLogBytes: Number.MAX_SAFE_INTEGER,
    };
    const options = { dataDir: directory, engine, fsync: 'never', memoryBytesMax, limits } as const;
    return new StoreSubject(await openUncheckedStore(options), engine !== 'memory');
  }

  constructor(store: BenchStore, hasFiles: boolean) {
    this.#store = store;
    this.hasFiles = hasFiles;
  }

  async putAll(keys: readonly Uint8Array[], values: readonly Uint8Array[]): Promise<void> {
    await underWay(PUTS_UNDER_WAY, keys.length, (index) =>
      this.#store.put(keys[index] ?? new Uint8Array(0), values[index] ?? new Uint8Array(0)),
    );
  }

  /** A checkpoint, then as long as files change. */
  async settle(): Promise<void> {
    if (!this.hasFiles) return;
    await this.#store.snapshot();
    let before = '';
    for (let waitedMs = 0; waitedMs < SETTLED_AFTER_MS; waitedMs += LOOK_MS) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const { mergedBytes, mergingBytes, diskBytes, sealedBytes } = await this.#storage();
      const now = [mergedBytes, diskBytes, sealedBytes].join();
      if (now !== before || sealedBytes > 0 || mergingBytes > 0) waitedMs = 0;
      before = now;
    }
  }

  getAll(keys: readonly Uint8Array[]): number {
    let foundCount = 0;
    for (let start = 0; start < keys.length; start += GETS_AT_ONCE) {
      const end = Math.min(start + GETS_AT_ONCE, keys.length);
      this.#store.seam.readVisible((view) => {
        for (let index = start; index < end; index++) {
          const version = view.read(keys[index] ?? new Uint8Array(0));
          if (version !== undefined && version.value.length > 0) foundCount++;
        }
      });
    }
    return foundCount;
  }

  rankAll(keys: readonly Uint8Array[]): number {
    let greatest = 0;
    for (let start = 0; start < keys.length; start += RANKS_AT_ONCE) {
      this.#store.seam.decide((view) => {
        for (const key of keys.slice(start, start + RANKS_AT_ONCE))
          greatest = Math.max(greatest, view.rank(USER_KEYS, key));
      });
    }
    return greatest;
  }

  async scan(withValues: boolean): Promise<number> {
    let entryCount = 0;
    let byteCount = 0;
    let range: EngineRange = USER_KEYS;
    for (;;) {
      let left = SCANNED_AT_ONCE;
      const next: Uint8Array | undefined = this.#store.seam.readVisible((view) =>
        view.scan(range, false, (shown) => {
          entryCount++;
          byteCount += shown.key.length;
          if (withValues) byteCount += shown.value.length;
          return --left > 0;
        }),
      );
      if (next === undefined) break;
      range = { start: next, end: USER_KEYS.end };
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (byteCount === 0) throw new Error('a scan has come to nothing');
    return entryCount;
  }

  async diskBytes(): Promise<number> {
    return (await this.#storage()).diskBytes;
  }

  async writtenBytes(): Promise<number> {
    const { flushedBytes, mergedBytes } = await this.#storage();
    return flushedBytes + mergedBytes;
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #storage(): Promise<StorageStatus> {
    const { storage } = await this.#store.status();
    if (storage === undefined) throw new Error('an engine on disk tells of its files');
    return storage;
  }
}
