/**
 * Entries as a snapshot file: for a part of a store, or an old revision, of which there is no backup. It can be
 * restored as a backup can. Its store id is a new one, so that no log of the whole store passes for what follows it.
 */
import {
  sizeOfSnapshotBlock,
  sizeOfSnapshotVersion,
  writeSnapshotBlock,
  type SnapshotVersionShape,
} from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Entry } from '../../api.ts';
import { keyOf } from '../../arguments/key.ts';
import type { Random } from '../../clock.ts';
import { fixed } from '../../limits.ts';
import { SnapshotEncoder } from '../../snapshot/encoder.ts';
import { SNAPSHOT_FORMAT_VERSION, encodeSnapshotHeader } from '../../store/checkpoints/checkpoint.ts';
import { encodeKey } from '../../store/views/keys.ts';
import { STORE_ID_BYTES } from '../../wal/frames/format.ts';

export interface SnapshotStart {
  readonly revision: number;
  /** That wrote the revision, in hexadecimal digits; empty when it is not known. */
  readonly incarnation: string;
  readonly timeMs: number;
}

export class SnapshotOfEntries {
  readonly #encoder = new SnapshotEncoder();
  readonly #timeMs: number;
  readonly #begin: Buffer;
  #versions: SnapshotVersionShape[] = [];
  #bytes = 0;

  constructor({ revision, incarnation, timeMs }: SnapshotStart, random: Random) {
    this.#timeMs = timeMs;
    const header = encodeSnapshotHeader({
      formatVersion: SNAPSHOT_FORMAT_VERSION,
      storeId: random.bytes(STORE_ID_BYTES),
      revision,
      oldestRevision: revision,
      timeMs,
      leaseClockMs: 0,
      compactedRevision: 0,
      collectionIdsEnd: 0,
      place: undefined,
      incarnations:
        incarnation === '' ? [] : [{ id: Buffer.from(incarnation, 'hex'), firstRevision: revision }],
    });
    this.#begin = this.#encoder.begin(header);
  }

  begin(): Buffer {
    return this.#begin;
  }

  /** @returns what is to be written, once a block is full. */
  async add(entry: Entry): Promise<Buffer | undefined> {
    const { value, createRevision, modRevision, version, expireTimeMs } = entry;
    const shape: SnapshotVersionShape = {
      key: encodeKey(keyOf(entry)),
      revision: modRevision,
      deleted: false,
      value,
      createRevision,
      modRevision,
      version,
      leaseId: 0,
      // How long it was when it was set is not told; what is left comes next to it.
      ttlMs: expireTimeMs === 0 ? 0 : Math.min(fixed.ttlMsMax, Math.max(1, expireTimeMs - this.#timeMs)),
      expireTimeMs,
      kind: 0,
      collectionId: 0,
      replacedBy: 0,
    };
    const bytes = sizeOfSnapshotVersion(shape);
    const full = this.#bytes + bytes > fixed.snapshotBlockBytes ? await this.#block() : undefined;
    this.#versions.push(shape);
    this.#bytes += bytes;
    return full;
  }

  /** The rest of the file. */
  async finish(): Promise<Buffer> {
    const last = await this.#block();
    const footer = this.#encoder.finish();
    return last === undefined ? footer : Buffer.concat([last, footer]);
  }

  close(): void {
    this.#encoder.close();
  }

  async #block(): Promise<Buffer | undefined> {
    if (this.#versions.length === 0) return undefined;
    const block = { versions: this.#versions, leases: [] };
    const bytes = Buffer.allocUnsafe(sizeOfSnapshotBlock(block));
    writeSnapshotBlock(block, bytes, 0);
    const section = await this.#encoder.block(bytes, this.#versions.length);
    this.#versions = [];
    this.#bytes = 0;
    return section;
  }
}
