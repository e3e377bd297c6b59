/**
 * Writes and reads versions by way of a `PlacedChange`: what loads and walks do, and nobody else, so that the code of
 * single reads and writes meets one kind of object only.
 */
import type { Memory } from '../../wire/memory.ts';
import { copyBytes } from '../../wire/memory.ts';
import type { PlacedChange } from '../placed-change.ts';
import {
  HAS_CREATE,
  HAS_DEADLINE,
  HAS_KIND,
  HAS_LEASE,
  HAS_MODIFY,
  HAS_TTL,
  HAS_VERSION,
  IS_DELETED,
  LONG_KEY,
  VERSION_FLAGS,
  VERSION_VALUE_BYTES,
  VERSION_WORDS,
  keyByteCount,
  revisionAt,
} from './layout.ts';
import type { Probe } from './probe.ts';
import { wideAt, writeHead, writeKey, writeWide } from './version-codec.ts';

/** The flags of a change: which optional fields its version has, and whether it is a deletion. */
export function flagsOfPlaced(change: PlacedChange): number {
  if (change.deleted) return IS_DELETED;
  const { revision } = change;
  let flags = 0;
  if (change.createRevision !== revision) flags |= HAS_CREATE;
  if (change.modRevision !== revision) flags |= HAS_MODIFY;
  if (change.version !== 1) flags |= HAS_VERSION;
  if (change.leaseId !== 0) flags |= HAS_LEASE;
  if (change.ttlMs !== 0) flags |= HAS_TTL;
  if (change.expireTimeMs !== 0) flags |= HAS_DEADLINE;
  if (change.kind !== 0) flags |= HAS_KIND;
  return flags;
}

/** Writes a change of the key in `probe` as a version. */
export function writePlaced(
  page: Memory,
  offset: number,
  previous: number,
  localId: number,
  flags: number,
  probe: Probe,
  change: PlacedChange,
): void {
  const { words } = page;
  let at = writeHead(words, offset, previous, localId, flags, change.revision, probe.length);
  if ((flags & HAS_CREATE) !== 0) at = writeWide(words, at, change.createRevision);
  if ((flags & HAS_MODIFY) !== 0) at = writeWide(words, at, change.modRevision);
  if ((flags & HAS_VERSION) !== 0) at = writeWide(words, at, change.version);
  if ((flags & HAS_LEASE) !== 0) at = writeWide(words, at, change.leaseId);
  if ((flags & HAS_TTL) !== 0) at = writeWide(words, at, change.ttlMs);
  if ((flags & HAS_DEADLINE) !== 0) at = writeWide(words, at, change.expireTimeMs);
  if ((flags & HAS_KIND) !== 0) words[at++] = change.kind;
  at = writeKey(words, at, probe);
  const valueBytes = (flags & IS_DELETED) === 0 ? change.valueEnd - change.valueStart : 0;
  words[offset + VERSION_VALUE_BYTES] = valueBytes;
  copyBytes(page, at * 4, change.memory, change.valueStart, valueBytes);
}

/** Makes `change` the version at a place in a page; its key and value stay where they are. */
export function readPlaced(page: Memory, offset: number, change: PlacedChange): void {
  const { words } = page;
  const flags = words[offset + VERSION_FLAGS]!;
  const revision = revisionAt(words, offset);
  const keyBytes = keyByteCount(words, offset);
  let at = offset + VERSION_WORDS + (keyBytes >= LONG_KEY ? 1 : 0);
  change.clear();
  change.memory = page;
  change.revision = revision;
  if ((flags & IS_DELETED) === 0) {
    change.createRevision = revision;
    change.modRevision = revision;
    change.version = 1;
  } else {
    change.deleted = true;
  }
  if ((flags & HAS_CREATE) !== 0) {
    change.createRevision = wideAt(words, at);
    at += 2;
  }
  if ((flags & HAS_MODIFY) !== 0) {
    change.modRevision = wideAt(words, at);
    at += 2;
  }
  if ((flags & HAS_VERSION) !== 0) {
    change.version = wideAt(words, at);
    at += 2;
  }
  if ((flags & HAS_LEASE) !== 0) {
    change.leaseId = wideAt(words, at);
    at += 2;
  }
  if ((flags & HAS_TTL) !== 0) {
    change.ttlMs = wideAt(words, at);
    at += 2;
  }
  if ((flags & HAS_DEADLINE) !== 0) {
    change.expireTimeMs = wideAt(words, at);
    at += 2;
  }
  if ((flags & HAS_KIND) !== 0) change.kind = words[at++]!;
  change.keyStart = at * 4;
  change.keyEnd = change.keyStart + keyBytes;
  change.valueStart = 4 * (at + ((keyBytes + 3) >>> 2));
  change.valueEnd = change.valueStart + words[offset + VERSION_VALUE_BYTES]!;
}

/** The lease of a version; 0: none. */
export function readLeaseId(words: Uint32Array, offset: number): number {
  const flags = words[offset + VERSION_FLAGS]!;
  if ((flags & HAS_LEASE) === 0) return 0;
  let at = offset + VERSION_WORDS + (keyByteCount(words, offset) >= LONG_KEY ? 1 : 0);
  if ((flags & HAS_CREATE) !== 0) at += 2;
  if ((flags & HAS_MODIFY) !== 0) at += 2;
  if ((flags & HAS_VERSION) !== 0) at += 2;
  return wideAt(words, at);
}
