/**
 * Verifies a snapshot, or a backup, which is the same: the checksums and counts of the file, and that its blocks hold
 * what recovery can load: leases in the order of their ids, then the newest versions, then older ones in the order of what
 * replaced them. Whether they fit together an engine says that loads all of them, without the values.
 */
import {
  readSnapshotBlock,
  readSnapshotHeader,
  type SnapshotBlockShape,
  type SnapshotHeaderShape,
} from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import { isAccessKey } from '../../access/records/access-keys.ts';
import { faultOfAccess } from '../../access/records/access-records.ts';
import type { Disk } from '../../disk/disk.ts';
import { SnapshotDamageError } from '../../snapshot/damage.ts';
import { openSnapshotFile, type SnapshotReader } from '../../snapshot/reader.ts';
import { REFUSED_LOAD } from '../../engine/engine.ts';
import { MemoryEngine } from '../../engine/memory/memory-engine.ts';
import { placeChange } from '../../engine/version.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { checkSnapshotFormat } from '../../store/checkpoints/checkpoint.ts';
import {
  faultOfItemCount,
  MISFIT_OLDER,
  TWO_NEWEST,
  faultOfSnapshotHeader,
  SnapshotOrder,
} from '../../store/recovery/recorded-items.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { OnProgress } from '../../progress.ts';

/** What was counted on the way; the caller makes it, so that it has it also when damage ends the way. */
export interface SnapshotCounts {
  bytes: number;
  /** The versions of clients' keys. */
  versionCount: number;
  leaseCount: number;
  /** The versions of users, roles and tokens. */
  accessCount: number;
}

export function noCounts(): SnapshotCounts {
  return { bytes: 0, versionCount: 0, leaseCount: 0, accessCount: 0 };
}

/** A block as it stands in the file, verified. */
export interface VerifiedBlock {
  readonly bytes: Buffer;
  readonly itemCount: number;
}

/** A snapshot that is being read, with its header. */
export class VerifyingSnapshot {
  readonly header: SnapshotHeaderShape;
  readonly counts: SnapshotCounts;
  readonly #path: string;
  readonly #reader: SnapshotReader;
  readonly #onProgress: OnProgress;
  readonly #order: SnapshotOrder;
  readonly #loader = new MemoryEngine().loader;

  /** @throws StoreError `damaged`, or a `DiskError`. */
  static async open(
    disk: Disk,
    path: string,
    onProgress: OnProgress,
    counts = noCounts(),
  ): Promise<VerifyingSnapshot> {
    const reader = await openSnapshotFile(disk, path);
    try {
      return new VerifyingSnapshot(path, reader, onProgress, counts);
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  private constructor(path: string, reader: SnapshotReader, onProgress: OnProgress, counts: SnapshotCounts) {
    this.#path = path;
    this.#reader = reader;
    this.#onProgress = onProgress;
    this.counts = counts;
    counts.bytes = reader.bytesTotal;
    this.header = this.#readHeader();
    this.#order = new SnapshotOrder(this.header.revision);
  }

  /** The next block; `undefined` when there is no other and the file is whole. @throws StoreError `damaged`. */
  async next(): Promise<VerifiedBlock | undefined> {
    const offset = this.#reader.bytesRead;
    const next = await this.#reader.next();
    if (next === undefined) {
      this.#finishNewest(offset);
      if (!resultOf(this.#loader.finish())) this.#refuse(MISFIT_OLDER, offset);
      return undefined;
    }
    const block = this.#decode('block', offset, () => readSnapshotBlock(next.block, 0, next.block.length));
    this.#checkBlock(block, next.itemCount, offset);
    this.counts.leaseCount += block.leases.length;
    for (const { key } of block.versions) {
      if (isAccessKey(key)) this.counts.accessCount++;
      else this.counts.versionCount++;
    }
    this.#onProgress({
      work: `reading ${this.#path}`,
      doneBytes: this.#reader.bytesRead,
      totalBytes: this.#reader.bytesTotal,
    });
    return { bytes: next.block, itemCount: next.itemCount };
  }

  /** Reads to the end. @throws StoreError `damaged`. */
  async verify(): Promise<void> {
    while ((await this.next()) !== undefined);
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  #readHeader(): SnapshotHeaderShape {
    const bytes = Buffer.from(this.#reader.header);
    const header = this.#decode('header', 0, () => readSnapshotHeader(bytes, 0, bytes.length));
    checkSnapshotFormat(header.formatVersion, this.#path);
    this.#refuse(faultOfSnapshotHeader(header), 0);
    return header;
  }

  #checkBlock({ leases, versions }: SnapshotBlockShape, itemCount: number, offset: number): void {
    this.#refuse(faultOfItemCount(leases.length + versions.length, itemCount), offset);
    for (const lease of leases) this.#refuse(this.#order.faultOfLease(lease), offset);
    for (const version of versions) {
      this.#refuse(this.#order.faultOfVersion(version), offset);
      if (!version.deleted) this.#refuse(faultOfAccess(version.key, version.value), offset);
      const { replacedBy } = version;
      const change = placeChange({ ...version, value: NO_BYTES }, replacedBy);
      if (replacedBy !== 0) this.#finishNewest(offset);
      const lease = replacedBy === 0 ? this.#loader.newest(change) : this.#loader.older(change);
      if (lease === REFUSED_LOAD) this.#refuse(replacedBy === 0 ? TWO_NEWEST : MISFIT_OLDER, offset);
    }
  }

  #finishNewest(offset: number): void {
    if (!resultOf(this.#loader.finishNewest())) this.#refuse(TWO_NEWEST, offset);
  }

  #refuse(fault: string | undefined, offset: number): void {
    if (fault !== undefined) throw this.#damage(fault, offset);
  }

  #decode<Message>(what: string, offset: number, read: () => Message): Message {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw this.#damage(
        `the ${what} can not be understood (${error.message}); use the version that wrote it`,
        offset,
        {
          cause: error,
        },
      );
    }
  }

  #damage(what: string, offset: number, options?: ErrorOptions): SnapshotDamageError {
    return new SnapshotDamageError(this.#path, offset, what, options);
  }
}

/** Does all pieces of a work that pauses between them. */
function resultOf<Result>(pieces: Generator<undefined, Result>): Result {
  for (;;) {
    const piece = pieces.next();
    if (piece.done === true) return piece.value;
  }
}
