/** Versions between their form in a block (`layout.ts`) and the forms in which they come and go. */
import { assert } from '../../errors.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import type { Memory } from '../../wire/memory.ts';
import type { Change, PlacedChange, Version } from '../version.ts';
import { copyOut } from '../byte-pool.ts';
import {
  CREATED_BEFORE,
  EXTRAS_MASK,
  EXTRA_COLLECTION,
  EXTRA_COUNT,
  EXTRA_CREATE,
  EXTRA_DEADLINE,
  EXTRA_KIND,
  EXTRA_LEASE,
  EXTRA_MODIFY,
  EXTRA_PLAIN_BYTES,
  EXTRA_TTL,
  HAS_EXTRAS,
  HEAD,
  IS_DELETED,
  KEY,
  KEY_BYTES_MASK,
  LONG_VALUE_WORDS,
  LONG_VERSION,
  REVISION_HIGH,
  REVISION_LOW,
  SHORT_COUNT_MAX,
  SHORT_VALUE_BYTES_MAX,
  SHORT_VERSION,
  UNDO,
  extrasWord,
  extrasWords,
  headOf,
  kindOf,
  revisionAt,
  secondWord,
  shortCount,
  shortValueBytes,
  valueWord,
  wideAt,
  wordsOf,
  writeWide,
} from './layout.ts';
import type { CompressedValues } from './compressed-values.ts';
import type { LongValues } from './long-values.ts';
import type { Probe } from './probe.ts';

/** The revision of the creation lies no further back than this, or is an extra. */
export const CREATED_BEFORE_MAX = 0xffff_ffff;
/** An extra stands behind those of the bits below its own: how many words these take, for each choice of them. */
const WORDS_OF_EXTRAS = Uint8Array.from({ length: EXTRAS_MASK + 1 }, (_, which) => extrasWords(which));

/** A version on its way into a block: one object, so that the code that writes blocks meets one shape only. */
export class Fields {
  revision = 0;
  deleted = false;
  /** Of the whole value, ... */
  valueBytes = 0;
  /** ... and what of it is kept, which is less where it is compressed. */
  storedBytes = 0;
  expireTimeMs = 0;
  /**
   * Of a deletion in a layer that lies above others: whether the key is there below. Such a one stays, and is shown to whatever goes
   * over the layer, until the layer is dropped.
   */
  hides = false;
  /** The length of the block in units. */
  units = 0;
  /** Words of the block as they will stand there. */
  #second = 0;
  #createdBefore = 0;
  readonly #extras = new Int32Array(extrasWords(EXTRAS_MASK));
  #extrasEnd = 0;

  /** @param storedBytes less than `valueBytes` where the value is kept compressed. */
  take(change: Change, keyBytes: number, valueBytes: number, storedBytes = valueBytes): void {
    const { revision, deleted } = change;
    this.revision = revision;
    this.deleted = deleted;
    this.valueBytes = deleted ? 0 : valueBytes;
    this.storedBytes = deleted ? 0 : storedBytes;
    this.expireTimeMs = deleted ? 0 : change.expireTimeMs;
    this.#extrasEnd = 0;
    if (deleted) {
      this.#second = secondWord(revision, 0, IS_DELETED);
      this.#createdBefore = this.hides ? 1 : 0;
    } else this.#takeFields(change);
    const valueWords = this.isLong ? LONG_VALUE_WORDS : wordsOf(this.storedBytes);
    this.units = (KEY + wordsOf(keyBytes) + valueWords + this.#extrasEnd + 1) >>> 1;
  }

  /** The revision at which the key is dead for what goes over keys in their order; 0: it is to be shown. */
  get deadRevision(): number {
    return this.deleted && !this.hides ? this.revision : 0;
  }

  get isLong(): boolean {
    return this.storedBytes > SHORT_VALUE_BYTES_MAX;
  }

  /**
   * Writes all of a block but the value.
   * @param hasKey whether the key stands there already.
   * @returns the word where the value begins.
   */
  write(words: Int32Array, at: number, probe: Probe, hasKey: boolean, undo: number): number {
    const { length } = probe;
    const { isLong } = this;
    const head = headOf(isLong ? LONG_VERSION : SHORT_VERSION, length, isLong ? 0 : this.storedBytes);
    words[at + HEAD] = head;
    words[at + REVISION_LOW] = this.revision;
    words[at + REVISION_HIGH] = this.#second;
    words[at + UNDO] = undo;
    words[at + CREATED_BEFORE] = this.#createdBefore;
    const keyWords = hasKey ? 0 : wordsOf(length);
    for (let index = 0; index < keyWords; index++) words[at + KEY + index] = probe.words[index]!;
    const extras = at + extrasWord(head);
    for (let index = 0; index < this.#extrasEnd; index++) words[extras + index] = this.#extras[index]!;
    return at + valueWord(head);
  }

  #takeFields(change: Change): void {
    const {
      revision,
      createRevision,
      modRevision,
      version,
      leaseId,
      ttlMs,
      expireTimeMs,
      kind,
      collectionId,
    } = change;
    const createdBefore = revision - createRevision;
    const isNear = createdBefore >= 0 && createdBefore <= CREATED_BEFORE_MAX;
    const isFew = version >= 1 && version <= SHORT_COUNT_MAX;
    this.#extras[0] = 0;
    this.#extrasEnd = 1;
    if (!isNear) this.#addExtra(EXTRA_CREATE, createRevision);
    if (modRevision !== revision) this.#addExtra(EXTRA_MODIFY, modRevision);
    if (!isFew) this.#addExtra(EXTRA_COUNT, version);
    if (leaseId !== 0) this.#addExtra(EXTRA_LEASE, leaseId);
    if (ttlMs !== 0) this.#addExtra(EXTRA_TTL, ttlMs);
    if (expireTimeMs !== 0) this.#addExtra(EXTRA_DEADLINE, expireTimeMs);
    if (kind !== 0) this.#addExtra(EXTRA_KIND, kind);
    if (collectionId !== 0) this.#addExtra(EXTRA_COLLECTION, collectionId);
    if (this.storedBytes !== this.valueBytes) this.#addExtra(EXTRA_PLAIN_BYTES, this.valueBytes);
    const hasExtras = this.#extrasEnd > 1;
    if (!hasExtras) this.#extrasEnd = 0;
    this.#second = secondWord(revision, isFew ? version : 0, hasExtras ? HAS_EXTRAS : 0);
    this.#createdBefore = isNear ? createdBefore : 0;
  }

  #addExtra(extra: number, value: number): void {
    this.#extras[0]! |= extra;
    this.#extrasEnd = writeWide(this.#extras, this.#extrasEnd, value);
  }
}

/** Makes `placed` the version at a place; its key and value stay where they are, unless the value is compressed and is asked for. */
export function showPlaced(
  memory: Memory,
  at: number,
  longValues: LongValues,
  compressed: CompressedValues | undefined,
  placed: PlacedChange,
): PlacedChange {
  const { words } = memory;
  const head = words[at]!;
  const second = words[at + REVISION_HIGH]!;
  const revision = revisionAt(words, at);
  const keyBytes = head & KEY_BYTES_MASK;
  placed.clear(memory);
  placed.revision = revision;
  placed.keyStart = (at + KEY) << 2;
  placed.keyEnd = placed.keyStart + keyBytes;
  if ((second & IS_DELETED) !== 0) {
    placed.deleted = true;
    return placed;
  }
  const value = at + valueWord(head);
  if (kindOf(head) === LONG_VERSION) {
    placed.valueMemory = longValues.memoryOf(words[value]!);
    placed.valueEnd = words[value + 1]!;
  } else {
    placed.valueStart = value << 2;
    placed.valueEnd = placed.valueStart + shortValueBytes(head);
  }
  placed.createRevision = revision - (words[at + CREATED_BEFORE]! >>> 0);
  placed.modRevision = revision;
  placed.version = shortCount(second);
  if ((second & HAS_EXTRAS) !== 0) {
    const extras = at + extrasWord(head);
    readExtras(words, extras, placed);
    if ((words[extras]! & EXTRA_PLAIN_BYTES) !== 0) {
      assert(compressed !== undefined, 'only who compresses values has compressed ones');
      placed.setPacked(compressed, plainBytesAt(words, at));
    }
  }
  return placed;
}

type Writable<T> = { -readonly [name in keyof T]: T[name] };

/** A version in memory of its own, which may be kept. */
export function readVersion(
  memory: Memory,
  at: number,
  longValues: LongValues,
  compressed: CompressedValues | undefined,
  withValue: boolean,
): Version {
  const { words } = memory;
  const head = words[at]!;
  const second = words[at + REVISION_HIGH]!;
  const revision = revisionAt(words, at);
  let value: Uint8Array = NO_BYTES;
  if (withValue) {
    const valueAt = at + valueWord(head);
    const plainBytes = plainBytesAt(words, at);
    if (plainBytes !== 0) {
      assert(compressed !== undefined, 'only who compresses values has compressed ones');
      value = compressed.unpack(storedAt(memory, at, longValues), plainBytes);
    } else {
      value =
        kindOf(head) === LONG_VERSION
          ? longValues.memoryOf(words[valueAt]!).bytes.slice()
          : copyOut(memory, valueAt << 2, shortValueBytes(head));
    }
  }
  const version: Writable<Version> = {
    revision,
    value,
    kind: 0,
    collectionId: 0,
    createRevision: revision - (words[at + CREATED_BEFORE]! >>> 0),
    modRevision: revision,
    version: shortCount(second),
    leaseId: 0,
    ttlMs: 0,
    expireTimeMs: 0,
  };
  if ((second & HAS_EXTRAS) !== 0) readExtras(words, at + extrasWord(head), version);
  return version;
}

/** The deadline of a version; 0: none. */
export function deadlineAt(words: Int32Array, at: number): number {
  return extraAt(words, at, EXTRA_DEADLINE);
}

/** The lease of a version; 0: none. */
export function leaseAt(words: Int32Array, at: number): number {
  return extraAt(words, at, EXTRA_LEASE);
}

export function isDeletedAt(words: Int32Array, at: number): boolean {
  return (words[at + REVISION_HIGH]! & IS_DELETED) !== 0;
}

/** Whether a version is a deletion that hides what lies below its layer (`Fields.hides`). */
export function isHidingAt(words: Int32Array, at: number): boolean {
  return isDeletedAt(words, at) && words[at + CREATED_BEFORE] !== 0;
}

/** Of a version whose value lies compressed: the length of the whole value; 0: it does not. */
export function plainBytesAt(words: Int32Array, at: number): number {
  return extraAt(words, at, EXTRA_PLAIN_BYTES);
}

/** What lies in the place of a version's value, where it lies. */
function storedAt(memory: Memory, at: number, longValues: LongValues): Uint8Array {
  const { bytes, words } = memory;
  const head = words[at]!;
  const value = at + valueWord(head);
  if (kindOf(head) === LONG_VERSION) return longValues.memoryOf(words[value]!).bytes;
  return bytes.subarray(value << 2, (value << 2) + shortValueBytes(head));
}

/** The bytes of what lies in the place of a version's value. */
export function storedBytesAt(words: Int32Array, at: number): number {
  const head = words[at]!;
  return kindOf(head) === LONG_VERSION ? words[at + valueWord(head) + 1]! : shortValueBytes(head);
}

/** The number of a version's long value; `undefined`: its value is short. */
export function longValueAt(words: Int32Array, at: number): number | undefined {
  const head = words[at]!;
  return kindOf(head) === LONG_VERSION ? words[at + valueWord(head)]! : undefined;
}

/** An extra of a version; 0: it has none. */
function extraAt(words: Int32Array, at: number, extra: number): number {
  if ((words[at + REVISION_HIGH]! & HAS_EXTRAS) === 0) return 0;
  const extras = at + extrasWord(words[at]!);
  const which = words[extras]!;
  return (which & extra) === 0 ? 0 : readExtra(words, extras, which, extra);
}

/** Adds what the extras of a version say, which begin at `at`. */
function readExtras(words: Int32Array, at: number, version: Writable<Version>): void {
  const which = words[at]!;
  if ((which & EXTRA_CREATE) !== 0) version.createRevision = readExtra(words, at, which, EXTRA_CREATE);
  if ((which & EXTRA_MODIFY) !== 0) version.modRevision = readExtra(words, at, which, EXTRA_MODIFY);
  if ((which & EXTRA_COUNT) !== 0) version.version = readExtra(words, at, which, EXTRA_COUNT);
  if ((which & EXTRA_LEASE) !== 0) version.leaseId = readExtra(words, at, which, EXTRA_LEASE);
  if ((which & EXTRA_TTL) !== 0) version.ttlMs = readExtra(words, at, which, EXTRA_TTL);
  if ((which & EXTRA_DEADLINE) !== 0) version.expireTimeMs = readExtra(words, at, which, EXTRA_DEADLINE);
  if ((which & EXTRA_KIND) !== 0) version.kind = readExtra(words, at, which, EXTRA_KIND);
  if ((which & EXTRA_COLLECTION) !== 0) version.collectionId = readExtra(words, at, which, EXTRA_COLLECTION);
}

/** One of the extras that begin at `at` with the word that says which there are. */
function readExtra(words: Int32Array, at: number, which: number, extra: number): number {
  return wideAt(words, at + WORDS_OF_EXTRAS[which & (extra - 1)]!);
}
