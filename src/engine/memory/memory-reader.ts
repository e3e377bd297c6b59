/**
 * `MemoryReader`: looks up keys of a `MemoryEngine` from another thread, without locks.
 *
 * What makes it right:
 *
 * - The caller reads the revision that is visible before it calls. Whatever was applied up to that revision was put
 *   where the search goes, by atomic stores, before that revision became visible.
 * - From `enter` to `leave` nothing that the search can come across is reused.
 * - The engine may be compacted in between: so a read looks before and after whether its revision is still kept.
 * - A page that is not known yet was announced through the port before anything pointed into it.
 */
import { receiveMessageOnPort } from 'node:worker_threads';
import { assert } from '../../errors.ts';
import type { Version } from '../engine.ts';
import { BytePool } from './byte-pool.ts';
import { ReaderSeat } from './epochs.ts';
import { segmentOffsetOf } from './hash-index.ts';
import {
  IS_DELETED,
  LOCAL_ID_BITS,
  LOCAL_ID_MASK,
  SEGMENT_BITS,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  SEGMENT_WORDS,
  SHARD_BITS,
  SLOT_BITS,
  SLOT_EMPTY,
  SLOT_HASH,
  SLOT_MASK,
  SLOT_NEWEST,
  SLOT_WORDS,
  TAG_MASK,
  TAG_SHIFT,
  UNIT_BITS,
  VERSION_FLAGS,
  VERSION_PREVIOUS,
  revisionAt,
} from './layout.ts';
import { Probe } from './probe.ts';
import type { PageNotice, ReaderAttachment } from './reader-link.ts';
import { TABLE_NUMBER_END, tableNumber } from './reader-link.ts';
import { wordOffsetOf } from './version-arena.ts';
import { isKeyOf, readVersion } from './version-codec.ts';

/** The revision asked for is below that of the compaction. */
export const COMPACTED = Symbol('compacted');

const NONE = 0;

export class MemoryReader {
  readonly #attachment: ReaderAttachment;
  readonly #seat: ReaderSeat;
  readonly #depths: Uint32Array;
  readonly #probe: Probe;
  readonly #pool = new BytePool();
  /** By table, by page. */
  readonly #words: Uint32Array[][] = Array.from({ length: TABLE_NUMBER_END }, () => []);
  readonly #bytes: Uint8Array[][] = Array.from({ length: TABLE_NUMBER_END }, () => []);
  #noticeCount: number;

  constructor(attachment: ReaderAttachment) {
    this.#attachment = attachment;
    this.#seat = new ReaderSeat(attachment.control, attachment.seat);
    this.#depths = new Uint32Array(attachment.depths);
    this.#probe = new Probe(attachment.hashSeed);
    this.#noticeCount = attachment.noticeCount;
  }

  /** The newest version of `key` at `revision`; `undefined` when there is none or it says "deleted". */
  read(key: Uint8Array, revision: number): Version | undefined | typeof COMPACTED {
    this.#seat.enter();
    try {
      if (this.#seat.noticeCount() !== this.#noticeCount) this.refresh();
      if (revision < this.#seat.compactRevision()) return COMPACTED;
      const version = this.#read(key, revision);
      return revision < this.#seat.compactRevision() ? COMPACTED : version;
    } finally {
      this.#seat.leave();
    }
  }

  /**
   * Takes note of new and gone pages. A thread that reads rarely calls it now and then, since gone pages stay in memory
   * until all readers have.
   */
  refresh(): void {
    this.#noticeCount = this.#seat.noticeCount();
    for (;;) {
      const received = receiveMessageOnPort(this.#attachment.port);
      if (received === undefined) return;
      const { table, index, buffer } = received.message as PageNotice;
      this.#words[table]![index] = new Uint32Array(buffer ?? new SharedArrayBuffer(0));
      this.#bytes[table]![index] = new Uint8Array(buffer ?? new SharedArrayBuffer(0));
    }
  }

  #read(key: Uint8Array, revision: number): Version | undefined {
    const probe = this.#probe;
    probe.set(key);
    const { hash } = probe;
    const shard = hash & (this.#attachment.shardCount - 1);
    const index = tableNumber(shard, 'index');
    const versions = tableNumber(shard, 'versions');
    // The depth first: the directory was filled as far as it says before.
    const depth = Atomics.load(this.#depths, shard);
    const directory = this.#wordsOf(index, 1);
    const segment = Atomics.load(directory, (hash >>> SHARD_BITS) & (2 ** depth - 1));
    const words = this.#wordsOf(index, (segment >>> SEGMENT_BITS) + 2);
    const base = segmentOffsetOf(segment);
    const tag = (hash >>> TAG_SHIFT) & TAG_MASK;
    // A segment always has empty slots; no more than once around, whatever the writer does.
    for (let count = 0; count < SEGMENT_WORDS; count++) {
      const word = Atomics.load(words, base + (((hash >>> SEGMENT_SHIFT) + count) & SEGMENT_MASK));
      if (word === SLOT_EMPTY) return undefined;
      const localId = word & LOCAL_ID_MASK;
      if (word >>> LOCAL_ID_BITS !== tag || localId === 0) continue;
      const newest = this.#newestOf(shard, localId, hash);
      if (newest === NONE) continue;
      if (!isKeyOf(this.#wordsOf(versions, newest >>> UNIT_BITS), wordOffsetOf(newest), probe)) continue;
      return this.#visible(versions, newest, revision);
    }
    return undefined;
  }

  /** The newest version of a slot; 0: the slot is free, or of a key with another hash. */
  #newestOf(shard: number, localId: number, hash: number): number {
    const words = this.#wordsOf(tableNumber(shard, 'slots'), (localId >>> SLOT_BITS) + 1);
    const offset = (localId & SLOT_MASK) * SLOT_WORDS;
    const newest = Atomics.load(words, offset + SLOT_NEWEST);
    return (words[offset + SLOT_HASH]! | 0) === hash ? newest : NONE;
  }

  #visible(versions: number, newest: number, revision: number): Version | undefined {
    for (let each = newest; each !== NONE;) {
      const page = each >>> UNIT_BITS;
      const words = this.#wordsOf(versions, page);
      const offset = wordOffsetOf(each);
      if (revisionAt(words, offset) <= revision) {
        if ((words[offset + VERSION_FLAGS]! & IS_DELETED) !== 0) return undefined;
        return readVersion(words, this.#bytes[versions]![page]!, offset, this.#pool, true);
      }
      each = Atomics.load(words, offset + VERSION_PREVIOUS);
    }
    return undefined;
  }

  #wordsOf(table: number, page: number): Uint32Array {
    const known = this.#words[table]![page];
    if (known !== undefined && known.length > 0) return known;
    this.refresh();
    const words = this.#words[table]![page];
    assert(words !== undefined && words.length > 0, 'a page was announced before anything pointed into it');
    return words;
  }
}
