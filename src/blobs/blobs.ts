/**
 * A store as a volume of blobs: bytes by name, each with a checksum that tells whether it is still the same. A blob is the plain value
 * of a key, so every other door sees it, and what others write is a blob. What is kept of it is its bytes alone: the tag is made of
 * them when it is asked for.
 */
import type { CloseOptions, Key, Store, Value } from '../api.ts';
import { nothingMore } from '../arguments/calls.ts';
import { named } from '../arguments/check.ts';
import { canonicalKey, isKey } from '../arguments/key.ts';
import { noOptions, optionsOf } from '../arguments/shape.ts';
import { bytesOf, value as isValue } from '../arguments/value.ts';
import type { Clock } from '../clock.ts';
import { StoreError } from '../errors.ts';
import type { Held } from '../paged-list.ts';
import { crc32 } from '../wire/crc32.ts';

/** The checksum of a blob, as `BlobInfo` has it. */
export function etagOf(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}

/** What tells of a blob without its bytes. */
export interface BlobInfo {
  readonly key: Key;
  /** The CRC-32 of the bytes (that of zlib), as eight hexadecimal digits in lower case. */
  readonly etag: string;
  /** In bytes. */
  readonly size: number;
  readonly volumeId: string;
}

export interface StoredBlob extends BlobInfo {
  readonly bytes: Uint8Array;
}

export interface BlobListOptions {
  /** Only keys that begin so; default: all. */
  readonly prefix?: Key;
}

/** What a volume holds, and how it lies on disk. */
export interface BlobStats {
  readonly volumeId: string;
  readonly keyCount: number;
  /** Files of the log. */
  readonly segmentCount: number;
  /** The segment that is written, and the oldest one, by the numbers that their files have. */
  readonly activeSegmentId: number;
  readonly oldestSegmentId: number;
  /** What the segments take on disk. */
  readonly totalBytes: number;
  /** How long blobs are on average, rounded; where there are many, of a sample that is spread over them. */
  readonly meanBytes: number;
  /** Since the volume was opened. */
  readonly uptimeMs: number;
}

/** @internal */
export interface BlobsParts {
  readonly store: Store;
  readonly meanValueBytes: () => Promise<number>;
  /** Keeps what is visible readable from now on, for as long as a long reply may, until it is released. */
  readonly hold: () => Held | undefined;
  readonly volumeId: string;
  readonly clock: Clock;
  /** When the volume was opened, by the monotonic clock; left out: now. */
  readonly startMs?: number;
}

/** The calls on the blobs of a store. They fail as those of the store do, by a `StoreError`. */
export class Blobs {
  readonly volumeId: string;
  /** Where the blobs are values, with all that it can do besides. */
  readonly store: Store;
  readonly #meanValueBytes: () => Promise<number>;
  readonly #hold: () => Held | undefined;
  readonly #clock: Clock;
  readonly #startMs: number;

  /** @internal Made by `openBlobs`. */
  constructor({ store, meanValueBytes, hold, volumeId, clock, startMs = clock.monotonicMs() }: BlobsParts) {
    this.store = store;
    this.#meanValueBytes = meanValueBytes;
    this.#hold = hold;
    this.volumeId = volumeId;
    this.#clock = clock;
    this.#startMs = startMs;
  }

  /** Writes a blob, over the one before if there was one. Resolves when it is as durable as the store makes it. */
  async put(key: Key, bytes: Value, ...surplus: never[]): Promise<BlobInfo> {
    refuse(named('key', isKey(key)) ?? named('bytes', isValue(bytes)) ?? nothingMore('put', surplus));
    // The caller may write over its bytes as soon as it has the promise.
    const info = this.#infoOf(canonicalKey(key), bytesOf(bytes));
    await this.store.put(key, bytes);
    return info;
  }

  /** Reads a blob; `undefined`: there is none. */
  async get(key: Key, ...surplus: never[]): Promise<StoredBlob | undefined> {
    refuse(named('key', isKey(key)) ?? nothingMore('get', surplus));
    const name = canonicalKey(key);
    const { entry } = await this.store.get(key);
    return entry === undefined ? undefined : { ...this.#infoOf(name, entry.value), bytes: entry.value };
  }

  /** Deletes a blob. @returns whether there was one. */
  async delete(key: Key, ...surplus: never[]): Promise<boolean> {
    refuse(named('key', isKey(key)) ?? nothingMore('delete', surplus));
    return (await this.store.delete(key)).deleted;
  }

  /** The keys of all blobs, or of some, in their order and as of one revision. They are read page by page, as they are asked for. */
  list(options: BlobListOptions = noOptions): AsyncGenerator<Key, void, undefined> {
    return oneByOne(this.listPages(options));
  }

  /** As `list`, so many at once as the store has read. */
  listPages(options: BlobListOptions = noOptions): AsyncGenerator<readonly Key[], void, undefined> {
    const wrong = listOptions(options);
    // The caller may write over the bytes of a key as soon as it has the iteration.
    const { prefix }: BlobListOptions = wrong === undefined ? options : noOptions;
    return this.#pages(wrong, prefix === undefined ? undefined : canonicalKey(prefix));
  }

  async *#pages(
    wrong: string | undefined,
    prefix: Key | undefined,
  ): AsyncGenerator<readonly Key[], void, undefined> {
    refuse(wrong);
    const range = prefix === undefined ? {} : { prefix };
    let pageToken = '';
    const held = this.#hold();
    try {
      do {
        const page = await this.store.scan(range, { keysOnly: true, pageToken });
        yield page.entries.map(({ key, keyBytes }) => keyBytes ?? key);
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
    } finally {
      held?.release();
    }
  }

  async stats(...surplus: never[]): Promise<BlobStats> {
    refuse(nothingMore('stats', surplus));
    const { keyCount, segmentCount, activeSegmentId, oldestSegmentId, logBytes } = await this.store.status();
    return {
      volumeId: this.volumeId,
      keyCount,
      segmentCount,
      activeSegmentId,
      oldestSegmentId,
      totalBytes: logBytes,
      meanBytes: Math.round(await this.#meanValueBytes()),
      uptimeMs: Math.floor(this.#clock.monotonicMs() - this.#startMs),
    };
  }

  /** Closes the store: see `Store.close`. */
  close(options?: CloseOptions): Promise<void> {
    return this.store.close(options);
  }

  #infoOf(key: Key, bytes: Uint8Array): BlobInfo {
    return { key, etag: etagOf(bytes), size: bytes.length, volumeId: this.volumeId };
  }
}

async function* oneByOne<Item>(pages: AsyncIterable<readonly Item[]>): AsyncGenerator<Item, void, undefined> {
  for await (const page of pages) yield* page;
}

const listOptions = optionsOf<BlobListOptions>('list', { prefix: isKey });

/** @param wrong what is wrong with the arguments of a call; `undefined`: nothing. */
function refuse(wrong: string | undefined): void {
  if (wrong !== undefined) throw new StoreError('invalidArgument', wrong);
}
