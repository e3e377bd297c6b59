/** Versions between their form in a block (`layout.ts`) and the forms in which they come and go. */
import type { Memory } from '../../wire/memory.ts';
import type { Change, PlacedChange, Version } from '../version.ts';
import type { BytePool } from '../byte-pool.ts';
import {
  CREATED_BEFORE,
  EXTRA_COUNT,
  EXTRA_CREATE,
  EXTRA_DEADLINE,
  EXTRA_KIND,
  EXTRA_LEASE,
  EXTRA_MODIFY,
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
import type { LongValues } from './long-values.ts';
import type { Probe } from './probe.ts';

const CREATED_BEFORE_MAX = 0xffff_ffff;
const NO_BYTES = new Uint8Array(0);

/** What a version is made of but for key and value: one object, so that the code that writes blocks meets one shape only. */
export class Fields {
  revision = 0;
  deleted = false;
  valueBytes = 0;
  expireTimeMs = 0;
  /** The length of the block in units. */
  units = 0;
  #kind = 0;
  #createRevision = 0;
  #modRevision = 0;
  #version = 0;
  #leaseId = 0;
  #ttlMs = 0;
  /** Which extras the block has. */
  #extras = 0;

  take(change: Change, keyBytes: number, valueBytes: number): void {
    const { revision } = change;
    this.revision = revision;
    this.deleted = change.deleted;
    if (change.deleted) {
      this.valueBytes = 0;
      this.expireTimeMs = 0;
      this.#extras = 0;
      this.units = (KEY + wordsOf(keyBytes) + 1) >>> 1;
      return;
    }
    const { createRevision, modRevision, version, leaseId, ttlMs, expireTimeMs, kind } = change;
    const createdBefore = revision - createRevision;
    let extras = 0;
    if (createdBefore < 0 || createdBefore > CREATED_BEFORE_MAX) extras |= EXTRA_CREATE;
    if (modRevision !== revision) extras |= EXTRA_MODIFY;
    if (version < 1 || version > SHORT_COUNT_MAX) extras |= EXTRA_COUNT;
    if (leaseId !== 0) extras |= EXTRA_LEASE;
    if (ttlMs !== 0) extras |= EXTRA_TTL;
    if (expireTimeMs !== 0) extras |= EXTRA_DEADLINE;
    if (kind !== 0) extras |= EXTRA_KIND;
    this.valueBytes = valueBytes;
    this.expireTimeMs = expireTimeMs;
    this.#kind = kind;
    this.#createRevision = createRevision;
    this.#modRevision = modRevision;
    this.#version = version;
    this.#leaseId = leaseId;
    this.#ttlMs = ttlMs;
    this.#extras = extras;
    const valueWords = valueBytes > SHORT_VALUE_BYTES_MAX ? LONG_VALUE_WORDS : wordsOf(valueBytes);
    const wordCount = KEY + wordsOf(keyBytes) + valueWords + (extras === 0 ? 0 : extrasWords(extras));
    this.units = (wordCount + 1) >>> 1;
  }

  get isLong(): boolean {
    return this.valueBytes > SHORT_VALUE_BYTES_MAX;
  }

  /**
   * Writes all of a block but the value.
   * @param hasKey whether the key stands there already.
   * @returns the word where the value begins.
   */
  write(words: Int32Array, at: number, probe: Probe, hasKey: boolean, undo: number): number {
    const { length } = probe;
    const { revision, valueBytes } = this;
    const keyWords = wordsOf(length);
    const { isLong } = this;
    words[at + HEAD] = headOf(isLong ? LONG_VERSION : SHORT_VERSION, length, isLong ? 0 : valueBytes);
    words[at + REVISION_LOW] = revision;
    words[at + UNDO] = undo;
    if (!hasKey) for (let index = 0; index < keyWords; index++) words[at + KEY + index] = probe.words[index]!;
    const value = at + KEY + keyWords;
    if (this.deleted) {
      words[at + REVISION_HIGH] = secondWord(revision, 0, IS_DELETED);
      words[at + CREATED_BEFORE] = 0;
      return value;
    }
    const extras = this.#extras;
    const count = (extras & EXTRA_COUNT) === 0 ? this.#version : 0;
    words[at + REVISION_HIGH] = secondWord(revision, count, extras === 0 ? 0 : HAS_EXTRAS);
    words[at + CREATED_BEFORE] = (extras & EXTRA_CREATE) === 0 ? revision - this.#createRevision : 0;
    if (extras !== 0) this.#writeExtras(words, value + (isLong ? LONG_VALUE_WORDS : wordsOf(valueBytes)));
    return value;
  }

  #writeExtras(words: Int32Array, at: number): void {
    const extras = this.#extras;
    words[at] = extras;
    let to = at + 1;
    if ((extras & EXTRA_CREATE) !== 0) to = writeWide(words, to, this.#createRevision);
    if ((extras & EXTRA_MODIFY) !== 0) to = writeWide(words, to, this.#modRevision);
    if ((extras & EXTRA_COUNT) !== 0) to = writeWide(words, to, this.#version);
    if ((extras & EXTRA_LEASE) !== 0) to = writeWide(words, to, this.#leaseId);
    if ((extras & EXTRA_TTL) !== 0) to = writeWide(words, to, this.#ttlMs);
    if ((extras & EXTRA_DEADLINE) !== 0) to = writeWide(words, to, this.expireTimeMs);
    if ((extras & EXTRA_KIND) !== 0) writeWide(words, to, this.#kind);
  }
}

/** Makes `placed` the version at a place; its key and value stay where they are. */
export function showPlaced(
  memory: Memory,
  at: number,
  longValues: LongValues,
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
  if ((second & HAS_EXTRAS) !== 0) readExtras(words, at + extrasWord(head), placed);
  return placed;
}

type Writable<T> = { -readonly [name in keyof T]: T[name] };

/** A version for whoever keeps it. */
export function readVersion(
  memory: Memory,
  at: number,
  longValues: LongValues,
  pool: BytePool,
  withValue: boolean,
): Version {
  const { words } = memory;
  const head = words[at]!;
  const second = words[at + REVISION_HIGH]!;
  const revision = revisionAt(words, at);
  let value: Uint8Array = NO_BYTES;
  if (withValue) {
    const valueAt = at + valueWord(head);
    value =
      kindOf(head) === LONG_VERSION
        ? longValues.memoryOf(words[valueAt]!).bytes
        : pool.copy(memory, valueAt << 2, shortValueBytes(head));
  }
  const version: Writable<Version> = {
    revision,
    value,
    kind: 0,
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

/** The bytes of a version's value. */
export function valueBytesAt(words: Int32Array, at: number): number {
  const head = words[at]!;
  return kindOf(head) === LONG_VERSION ? words[at + valueWord(head) + 1]! : shortValueBytes(head);
}

/** The number of a version's long value; `undefined`: its value is short. */
export function longValueAt(words: Int32Array, at: number): number | undefined {
  const head = words[at]!;
  return kindOf(head) === LONG_VERSION ? words[at + valueWord(head)]! : undefined;
}

function extraAt(words: Int32Array, at: number, wanted: number): number {
  if ((words[at + REVISION_HIGH]! & HAS_EXTRAS) === 0) return 0;
  const start = at + extrasWord(words[at]!);
  const which = words[start]!;
  if ((which & wanted) === 0) return 0;
  return wideAt(words, start + extrasWords(which & (wanted - 1)));
}

function readExtras(words: Int32Array, at: number, version: Writable<Version>): void {
  const which = words[at]!;
  let from = at + 1;
  if ((which & EXTRA_CREATE) !== 0) {
    version.createRevision = wideAt(words, from);
    from += 2;
  }
  if ((which & EXTRA_MODIFY) !== 0) {
    version.modRevision = wideAt(words, from);
    from += 2;
  }
  if ((which & EXTRA_COUNT) !== 0) {
    version.version = wideAt(words, from);
    from += 2;
  }
  if ((which & EXTRA_LEASE) !== 0) {
    version.leaseId = wideAt(words, from);
    from += 2;
  }
  if ((which & EXTRA_TTL) !== 0) {
    version.ttlMs = wideAt(words, from);
    from += 2;
  }
  if ((which & EXTRA_DEADLINE) !== 0) {
    version.expireTimeMs = wideAt(words, from);
    from += 2;
  }
  if ((which & EXTRA_KIND) !== 0) version.kind = wideAt(words, from);
}
