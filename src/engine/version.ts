/** The forms in which a version of a key comes. */
import { NO_BYTES } from '../wire/bytes.ts';
import { memoryOf } from '../wire/memory.ts';
import type { Memory } from '../wire/memory.ts';
import { copyOut } from './byte-pool.ts';

/** One version of a key that is not deleted. */
export interface Version {
  /** The revision that made this version. */
  readonly revision: number;
  readonly value: Uint8Array;
  /** What kind of value it is; 0: plain bytes. */
  readonly kind: number;
  /** The collection whose elements belong to it; 0: none do. */
  readonly collectionId: number;
  readonly createRevision: number;
  /** The revision that wrote the value; below `revision` when only the time to live has changed since. */
  readonly modRevision: number;
  /** How often the key was written since its creation, from 1. */
  readonly version: number;
  /** 0: none. */
  readonly leaseId: number;
  /** 0: none. */
  readonly ttlMs: number;
  /** Milliseconds since 1970-01-01 UTC; 0: never. */
  readonly expireTimeMs: number;
}

/** A version with its key; when `deleted` is true, only `key` and `revision` count. */
export interface Change extends Version {
  readonly key: Uint8Array;
  readonly deleted: boolean;
}

/** The change that deletes a key at a revision. */
export function deletionOf(key: Uint8Array, revision: number): Change {
  return {
    key,
    revision,
    deleted: true,
    value: NO_BYTES,
    kind: 0,
    collectionId: 0,
    createRevision: 0,
    modRevision: 0,
    version: 0,
    leaseId: 0,
    ttlMs: 0,
    expireTimeMs: 0,
  };
}

const NOTHING = memoryOf(NO_BYTES);

/** Values that lie compressed where they are kept. */
export interface PackedValues {
  /** The whole value. */
  unpack(stored: Uint8Array, plainBytes: number): Uint8Array;
}

/**
 * A change whose key and value lie somewhere in a memory, at offsets from its first byte. One object serves for many
 * changes, one after the other: a scan, a load or a walk of a million versions makes no object for each.
 */
export class PlacedChange implements Change {
  keyMemory: Memory = NOTHING;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  revision = 0;
  deleted = false;
  kind = 0;
  collectionId = 0;
  createRevision = 0;
  modRevision = 0;
  version = 0;
  leaseId = 0;
  ttlMs = 0;
  expireTimeMs = 0;
  /** The revision of the version that replaced this one, in walks and for loading; 0: it is the newest of its key. */
  replacedBy = 0;
  #valueMemory: Memory = NOTHING;
  /** Where the value is unpacked when it is asked for, and where it lies until then. */
  #packed: PackedValues | undefined;
  #storedStart = 0;
  #storedEnd = 0;

  /** That of the key, unless the value is long, or was packed. */
  get valueMemory(): Memory {
    if (this.#packed !== undefined) this.#unpack(this.#packed);
    return this.#valueMemory;
  }

  set valueMemory(memory: Memory) {
    this.#packed = undefined;
    this.#valueMemory = memory;
  }

  /**
   * Has the value, whose place is set, stand for one of so many bytes that it is unpacked to once its memory is asked for. Its length is
   * known before.
   */
  setPacked(packed: PackedValues, plainBytes: number): void {
    this.#packed = packed;
    this.#storedStart = this.valueStart;
    this.#storedEnd = this.valueEnd;
    this.valueStart = 0;
    this.valueEnd = plainBytes;
  }

  #unpack(packed: PackedValues): void {
    const { bytes } = this.#valueMemory;
    const plain = packed.unpack(bytes.subarray(this.#storedStart, this.#storedEnd), this.valueEnd);
    this.#packed = undefined;
    // Where the value begins and ends may have been asked for already.
    this.#valueMemory = memoryOf(plain.byteOffset === 0 ? plain : new Uint8Array(plain));
  }

  /** A view of the memory, not a copy. */
  get key(): Uint8Array {
    return new Uint8Array(this.keyMemory.bytes.buffer, this.keyStart, this.keyEnd - this.keyStart);
  }

  /** A view of the memory, not a copy. */
  get value(): Uint8Array {
    return new Uint8Array(this.valueMemory.bytes.buffer, this.valueStart, this.valueEnd - this.valueStart);
  }

  /** The key from a byte on, for a caller that knows what it begins with: a view of the memory, not a copy. */
  keyFrom(start: number): Uint8Array {
    const { keyStart, keyEnd } = this;
    return new Uint8Array(this.keyMemory.bytes.buffer, keyStart + start, keyEnd - keyStart - start);
  }

  /** The key in memory of its own, which may be kept. */
  copyKey(): Uint8Array {
    return copyOut(this.keyMemory, this.keyStart, this.keyEnd - this.keyStart);
  }

  /** The value in memory of its own, which may be kept. */
  copyValue(): Uint8Array {
    return copyOut(this.valueMemory, this.valueStart, this.valueEnd - this.valueStart);
  }

  /** A part of the value in memory of its own: from `start` to `end` (exclusive). */
  copyPart(start: number, end: number): Uint8Array {
    return copyOut(this.valueMemory, this.valueStart + start, end - start);
  }

  /** The change that has all fields of a message in which nothing is set, in a memory that holds key and value. */
  clear(memory: Memory): void {
    this.keyMemory = memory;
    this.keyStart = 0;
    this.keyEnd = 0;
    this.#valueMemory = memory;
    this.#packed = undefined;
    this.valueStart = 0;
    this.valueEnd = 0;
    this.revision = 0;
    this.deleted = false;
    this.kind = 0;
    this.collectionId = 0;
    this.createRevision = 0;
    this.modRevision = 0;
    this.version = 0;
    this.leaseId = 0;
    this.ttlMs = 0;
    this.expireTimeMs = 0;
    this.replacedBy = 0;
  }
}

/** A copy of a change, with its key and value in a memory of their own. */
export function placeChange(change: Change, replacedBy = 0): PlacedChange {
  const { key, value } = change;
  const bytes = new Uint8Array(key.length + value.length);
  bytes.set(key);
  bytes.set(value, key.length);
  const placed = new PlacedChange();
  placed.clear(memoryOf(bytes));
  placed.keyEnd = key.length;
  placed.valueStart = key.length;
  placed.valueEnd = bytes.length;
  placed.revision = change.revision;
  placed.deleted = change.deleted;
  placed.kind = change.kind;
  placed.collectionId = change.collectionId;
  placed.createRevision = change.createRevision;
  placed.modRevision = change.modRevision;
  placed.version = change.version;
  placed.leaseId = change.leaseId;
  placed.ttlMs = change.ttlMs;
  placed.expireTimeMs = change.expireTimeMs;
  placed.replacedBy = replacedBy;
  return placed;
}
