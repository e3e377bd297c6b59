/** Writes and reads versions; `layout.ts` shows where which field lies. */
import type { Change, Version } from '../engine.ts';
import type { BytePool } from './byte-pool.ts';
import {
  HAS_CREATE,
  HAS_DEADLINE,
  HAS_KIND,
  HAS_LEASE,
  HAS_MODIFY,
  HAS_TTL,
  HAS_VERSION,
  IS_BORDER,
  IS_DELETED,
  LOCAL_ID_BITS,
  LONG_KEY,
  UNIT_WORDS,
  VERSION_FLAGS,
  VERSION_KEY,
  VERSION_PREVIOUS,
  VERSION_REVISION,
  VERSION_VALUE_BYTES,
  VERSION_WORDS,
  keyByteCount,
  keyWordOffset,
  revisionAt,
  deadlineWordOffset,
  wide,
} from './layout.ts';
import type { Probe } from './probe.ts';

const NO_BYTES = new Uint8Array(0);
const TWO_POW_32 = 0x1_0000_0000;

/** The flags of a change: which optional fields its version has, and whether it is a deletion. */
export function flagsOf(change: Change): number {
  if (change.deleted) return IS_DELETED;
  let flags = 0;
  if (change.createRevision !== change.revision) flags |= HAS_CREATE;
  if (change.modRevision !== change.revision) flags |= HAS_MODIFY;
  if (change.version !== 1) flags |= HAS_VERSION;
  if (change.leaseId !== 0) flags |= HAS_LEASE;
  if (change.ttlMs !== 0) flags |= HAS_TTL;
  if (change.expireTimeMs !== 0) flags |= HAS_DEADLINE;
  if (change.kind !== 0) flags |= HAS_KIND;
  return flags;
}

/** How many units a version takes. */
export function unitsFor(flags: number, keyBytes: number, valueBytes: number): number {
  const keyWord = keyBytes >= LONG_KEY ? -1 : 0;
  const wordCount = keyWordOffset(keyWord, flags) + ((keyBytes + 3) >>> 2) + Math.ceil(valueBytes / 4);
  return Math.ceil(wordCount / UNIT_WORDS);
}

/** Writes a change of the key in `probe` as a version. */
export function writeVersion(
  words: Uint32Array,
  bytes: Uint8Array,
  offset: number,
  previous: number,
  localId: number,
  flags: number,
  probe: Probe,
  change: Change,
): void {
  const { revision } = change;
  let at = writeHead(words, offset, previous, localId, flags, revision, probe.length);
  if ((flags & HAS_CREATE) !== 0) at = writeWide(words, at, change.createRevision);
  if ((flags & HAS_MODIFY) !== 0) at = writeWide(words, at, change.modRevision);
  if ((flags & HAS_VERSION) !== 0) at = writeWide(words, at, change.version);
  if ((flags & HAS_LEASE) !== 0) at = writeWide(words, at, change.leaseId);
  if ((flags & HAS_TTL) !== 0) at = writeWide(words, at, change.ttlMs);
  if ((flags & HAS_DEADLINE) !== 0) at = writeWide(words, at, change.expireTimeMs);
  if ((flags & HAS_KIND) !== 0) words[at++] = change.kind;
  at = writeKey(words, at, probe);
  const value = (flags & IS_DELETED) === 0 ? change.value : NO_BYTES;
  words[offset + VERSION_VALUE_BYTES] = value.length;
  bytes.set(value, at * 4);
}

/** The flags of a border: a key that an index keeps, with the deadline before it in the order of deadlines. */
export function borderFlags(deadlineMs: number): number {
  return IS_BORDER | (deadlineMs === 0 ? 0 : HAS_DEADLINE);
}

/** Writes the key in `probe` as a border. */
export function writeBorder(words: Uint32Array, offset: number, localId: number, probe: Probe): void {
  const flags = borderFlags(probe.deadlineMs);
  let at = writeHead(words, offset, 0, localId, flags, 0, probe.length);
  if ((flags & HAS_DEADLINE) !== 0) at = writeWide(words, at, probe.deadlineMs);
  writeKey(words, at, probe);
  words[offset + VERSION_VALUE_BYTES] = 0;
}

/** The version at a place. Not for a deletion. */
export function readVersion(
  words: Uint32Array,
  bytes: Uint8Array,
  offset: number,
  pool: BytePool,
  withValue: boolean,
): Version {
  const flags = words[offset + VERSION_FLAGS]!;
  const revision = revisionAt(words, offset);
  const keyBytes = keyByteCount(words, offset);
  let at = offset + VERSION_WORDS + (keyBytes >= LONG_KEY ? 1 : 0);
  let createRevision = revision;
  let modRevision = revision;
  let version = 1;
  let leaseId = 0;
  let ttlMs = 0;
  let expireTimeMs = 0;
  let kind = 0;
  if ((flags & HAS_CREATE) !== 0) {
    createRevision = wideAt(words, at);
    at += 2;
  }
  if ((flags & HAS_MODIFY) !== 0) {
    modRevision = wideAt(words, at);
    at += 2;
  }
  if ((flags & HAS_VERSION) !== 0) {
    version = wideAt(words, at);
    at += 2;
  }
  if ((flags & HAS_LEASE) !== 0) {
    leaseId = wideAt(words, at);
    at += 2;
  }
  if ((flags & HAS_TTL) !== 0) {
    ttlMs = wideAt(words, at);
    at += 2;
  }
  if ((flags & HAS_DEADLINE) !== 0) {
    expireTimeMs = wideAt(words, at);
    at += 2;
  }
  if ((flags & HAS_KIND) !== 0) kind = words[at++]!;
  const value = withValue
    ? pool.copy(words, bytes, at + ((keyBytes + 3) >>> 2), words[offset + VERSION_VALUE_BYTES]!)
    : NO_BYTES;
  return { revision, value, kind, createRevision, modRevision, version, leaseId, ttlMs, expireTimeMs };
}

/** A copy of the key of a version. */
export function readKey(words: Uint32Array, bytes: Uint8Array, offset: number, pool: BytePool): Uint8Array {
  const keyOffset = offset + keyWordOffset(words[offset + VERSION_KEY]!, words[offset + VERSION_FLAGS]!);
  return pool.copy(words, bytes, keyOffset, keyByteCount(words, offset));
}

/** The deadline of a version; 0: never. */
export function readDeadline(words: Uint32Array, offset: number): number {
  const flags = words[offset + VERSION_FLAGS]!;
  if ((flags & HAS_DEADLINE) === 0) return 0;
  return wideAt(words, offset + deadlineWordOffset(words[offset + VERSION_KEY]!, flags));
}

/** Whether the key of a version is the one in `probe`. */
export function isKeyOf(words: Uint32Array, offset: number, probe: Probe): boolean {
  const length = probe.length;
  if (keyByteCount(words, offset) !== length) return false;
  const keyOffset = offset + keyWordOffset(words[offset + VERSION_KEY]!, words[offset + VERSION_FLAGS]!);
  const key = probe.words;
  const wordCount = (length + 3) >>> 2;
  for (let index = 0; index < wordCount; index++) if (words[keyOffset + index] !== key[index]) return false;
  return true;
}

export function writeHead(
  words: Uint32Array,
  offset: number,
  previous: number,
  localId: number,
  flags: number,
  revision: number,
  keyBytes: number,
): number {
  words[offset + VERSION_PREVIOUS] = previous;
  words[offset + VERSION_KEY] = (Math.min(keyBytes, LONG_KEY) << LOCAL_ID_BITS) | localId;
  words[offset + VERSION_REVISION] = revision;
  words[offset + VERSION_FLAGS] = flags | (revision / TWO_POW_32);
  if (keyBytes < LONG_KEY) return offset + VERSION_WORDS;
  words[offset + VERSION_WORDS] = keyBytes;
  return offset + VERSION_WORDS + 1;
}

export function writeKey(words: Uint32Array, at: number, probe: Probe): number {
  const wordCount = (probe.length + 3) >>> 2;
  const key = probe.words;
  for (let index = 0; index < wordCount; index++) words[at + index] = key[index]!;
  return at + wordCount;
}

export function writeWide(words: Uint32Array, at: number, number: number): number {
  words[at] = number;
  words[at + 1] = number / TWO_POW_32;
  return at + 2;
}

export function wideAt(words: Uint32Array, at: number): number {
  return wide(words[at]!, words[at + 1]!);
}
