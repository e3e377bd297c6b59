import { memoryOf } from '../wire/memory.ts';
import type { Memory } from '../wire/memory.ts';
import type { Change } from './engine.ts';

/**
 * A change whose key and value lie somewhere in a memory, at offsets from its first byte. One object serves for many
 * changes, one after the other: a load or a walk of a million versions makes no object for each.
 */
export class PlacedChange implements Change {
  memory: Memory = memoryOf(new Uint8Array(0));
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  revision = 0;
  deleted = false;
  kind = 0;
  createRevision = 0;
  modRevision = 0;
  version = 0;
  leaseId = 0;
  ttlMs = 0;
  expireTimeMs = 0;

  /** A view of the memory, not a copy. */
  get key(): Uint8Array {
    return new Uint8Array(this.memory.bytes.buffer, this.keyStart, this.keyEnd - this.keyStart);
  }

  /** A view of the memory, not a copy. */
  get value(): Uint8Array {
    return new Uint8Array(this.memory.bytes.buffer, this.valueStart, this.valueEnd - this.valueStart);
  }

  /** Makes every field but `memory` what it is in a message in which nothing is set. */
  clear(): void {
    this.keyStart = 0;
    this.keyEnd = 0;
    this.valueStart = 0;
    this.valueEnd = 0;
    this.revision = 0;
    this.deleted = false;
    this.kind = 0;
    this.createRevision = 0;
    this.modRevision = 0;
    this.version = 0;
    this.leaseId = 0;
    this.ttlMs = 0;
    this.expireTimeMs = 0;
  }
}

/** A copy of a change, with its key and value in a memory of their own. */
export function placeChange(change: Change): PlacedChange {
  const { key, value } = change;
  const bytes = new Uint8Array(key.length + value.length);
  bytes.set(key);
  bytes.set(value, key.length);
  const placed = new PlacedChange();
  placed.memory = memoryOf(bytes);
  placed.keyEnd = key.length;
  placed.valueStart = key.length;
  placed.valueEnd = bytes.length;
  placed.revision = change.revision;
  placed.deleted = change.deleted;
  placed.kind = change.kind;
  placed.createRevision = change.createRevision;
  placed.modRevision = change.modRevision;
  placed.version = change.version;
  placed.leaseId = change.leaseId;
  placed.ttlMs = change.ttlMs;
  placed.expireTimeMs = change.expireTimeMs;
  return placed;
}
