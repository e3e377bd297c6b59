/**
 * All keys with their versions, and the indexes that lead to them, kept in step.
 *
 * The newest version of a key stands in a block (`layout.ts`). Three structures name blocks: the sharded map by key, the
 * ordered index by key, and an ordered index of deadlines, which has blocks of its own. A put overwrites the block where it
 * stands, if it has room, and copies what was there to the undo ring first; reads of the past follow the links into it.
 *
 * Invariants, beside those of the parts:
 *
 * - A key has one block, from its first version on until compaction drops the deletion that was its last.
 * - The block's link leads to the entry of the version before, as long as its revision is above that of the compaction;
 *   else it means nothing.
 * - For every deletion that is a newest version there is an entry of the undo ring that it replaced: when that entry is
 *   dropped, so is the key. A deletion that hides what lies below a layer stays, and for the order of keys it is live.
 */
import { copyBytes, type Memory } from '../../wire/memory.ts';
import type { GroupOfKey } from '../engine.ts';
import type { Change, PlacedChange } from '../version.ts';
import type { CompressedValues } from './compressed-values.ts';
import { Deadlines } from './deadlines.ts';
import type { HashSeed } from './key-hash.ts';
import { Holes } from './holes.ts';
import { KeyMap } from './key-map.ts';
import {
  BARE_KEY,
  KEY_BYTES_MASK,
  NONE,
  UNDO,
  UNIT_BITS,
  UNIT_MASK,
  kindOf,
  revisionAt,
  unitsAt,
} from './layout.ts';
import { LongValues } from './long-values.ts';
import { OrderedIndex } from './order/ordered-index.ts';
import { Probe } from './probe.ts';
import { Slabs } from './slabs.ts';
import { BY_DELETION, NO_VERSION, UndoRing } from './undo-ring.ts';
import {
  Fields,
  deadlineAt,
  isDeletedAt,
  isHidingAt,
  longValueAt,
  plainBytesAt,
  showPlaced,
  storedBytesAt,
} from './version-codec.ts';

/** What the keyspace knows of a walk (`walk.ts`). */
export interface OpenWalk {
  /** What is kept for blocks that have moved. */
  readonly memoryBytes: number;
  /** The block of the key in the probe is about to leave its place. */
  noteMove(reference: number): void;
}

export class Keyspace {
  /** The blocks of versions and deadlines. */
  readonly blocks: Slabs;
  readonly #holes = new Holes();
  readonly longValues = new LongValues();
  /** `undefined`: values are kept as they are. */
  readonly compressed: CompressedValues | undefined;
  /** The key that an operation is about. */
  readonly probe = new Probe();
  readonly map: KeyMap;
  readonly keys: OrderedIndex;
  readonly deadlines: Deadlines;
  readonly undo = new UndoRing();
  /** The fields of the version that is being written. */
  readonly fields = new Fields();
  /** The walks that are open. */
  readonly walks = new Set<OpenWalk>();
  /** Whether the ordered index has all keys; not while they are loaded. */
  isOrdered = true;
  compactRevision = 0;
  newestRevision = 0;
  keyCount = 0;
  versionCount = 0;
  dataBytes = 0;
  /** Where the version stands that `goTo` has found or that was just written, and where the value of the latter goes. */
  memory: Memory = { bytes: new Uint8Array(0), words: new Int32Array(0) };
  at = 0;
  #valueAt = 0;
  /** What is written in place of the value that was taken. */
  #frame: Uint8Array | undefined;
  /** The entries of the undo ring before this place may be of keys that were forgotten. */
  #forgottenEnd = NONE;
  readonly #seed: HashSeed;
  /** Those of blocks, tables and nodes. */
  readonly #slabs: readonly Slabs[];

  constructor(
    seed: HashSeed,
    groupOf: GroupOfKey,
    slabBytesMax: number | undefined,
    compressed: CompressedValues | undefined,
  ) {
    this.#seed = seed;
    this.compressed = compressed;
    this.blocks = new Slabs((from, to) => this.#blockMoved(from, to), slabBytesMax, this.#holes);
    this.map = new KeyMap(this.blocks, slabBytesMax);
    this.keys = new OrderedIndex(this.blocks, this.probe, slabBytesMax);
    this.deadlines = new Deadlines(this.blocks, groupOf, slabBytesMax);
    this.#slabs = [this.blocks, this.map.slabs, this.keys.nodes, this.deadlines.index.nodes];
  }

  get memoryBytes(): number {
    let byteCount = this.longValues.memoryBytes + this.undo.memoryBytes + this.#holes.memoryBytes;
    for (const { memoryBytes } of this.#slabs) byteCount += memoryBytes;
    for (const { memoryBytes } of this.walks) byteCount += memoryBytes;
    return byteCount;
  }

  /** The hash of the key in the probe. */
  hash(): number {
    return this.probe.hash(this.#seed);
  }

  /** The block of the key in the probe; `NONE`: there is none. */
  find(): number {
    return this.map.find(this.probe, this.hash());
  }

  /** Goes to the version of a block's key at a revision. @returns whether there is one. */
  seek(reference: number, revision: number): boolean {
    const words = this.blocks.words[reference >>> UNIT_BITS]!;
    const at = (reference & UNIT_MASK) << 1;
    if (revisionAt(words, at) <= revision) {
      this.memory = this.blocks.memories[reference >>> UNIT_BITS]!;
      this.at = at;
      return true;
    }
    if (!this.undo.seek(words[at + UNDO]!, revision)) return false;
    this.memory = this.undo.memory;
    this.at = this.undo.at;
    return true;
  }

  /** Like `seek`. @returns whether the key exists there. */
  goTo(reference: number, revision: number): boolean {
    return this.seek(reference, revision) && !isDeletedAt(this.memory.words, this.at);
  }

  /** Makes `placed` the version that was gone to. */
  show(placed: PlacedChange): PlacedChange {
    return showPlaced(this.memory, this.at, this.longValues, this.compressed, placed);
  }

  /** Takes the fields of a change, whose key is in the probe. */
  take(change: Change, valueBytes: number): void {
    const { compressed, fields, probe } = this;
    if (compressed !== undefined && valueBytes >= compressed.codec.plainBytesMin && !change.deleted) {
      this.#frame = compressed.codec.compress(change.value);
      fields.take(change, probe.length, valueBytes, this.#frame?.length);
    } else fields.take(change, probe.length, valueBytes);
  }

  /** Makes the change, whose key is in the probe and whose fields are taken, the newest version of its key. */
  put(reference: number, hash: number): void {
    this.newestRevision = this.fields.revision;
    if (reference === NONE) this.#create(hash);
    else this.#overwrite(reference, hash);
  }

  /** Writes the fields as the block of a key that has none. @returns the block; it is in no index of keys yet. */
  writeBlock(): number {
    const { fields, probe } = this;
    const reference = this.blocks.allocate(fields.units);
    this.memory = this.blocks.memoryAt(reference);
    this.at = Slabs.wordOf(reference);
    this.#valueAt = fields.write(this.memory.words, this.at, probe, false, NONE);
    if (fields.expireTimeMs !== 0) this.deadlines.change(this.memory.words, this.at, 0, fields.expireTimeMs);
    if (!fields.deleted) this.keyCount++;
    this.countVersion(1, probe.length + fields.valueBytes);
    return reference;
  }

  /** Writes the fields as the version of the entry of the undo ring that was just reserved. */
  writeEntry(older: number): void {
    this.memory = this.undo.memory;
    this.#valueAt = this.fields.write(this.memory.words, this.undo.at, this.probe, false, older);
  }

  /** Writes the value of the version that was just written. */
  writeValue(change: Change): void {
    const { valueBytes, isLong } = this.fields;
    if (this.#frame !== undefined) this.#writeFrame(this.#frame);
    else if (isLong) this.#writeLongValue(change.value);
    else if (valueBytes > 0) this.memory.bytes.set(change.value, this.#valueAt << 2);
  }

  /** Like `writeValue`, of a value that lies in a memory. */
  copyValue(change: PlacedChange): void {
    const { valueBytes, isLong } = this.fields;
    if (this.#frame !== undefined) this.#writeFrame(this.#frame);
    else if (isLong) this.#writeLongValue(change.value);
    else copyBytes(this.memory, this.#valueAt << 2, change.valueMemory, change.valueStart, valueBytes);
  }

  countVersion(sign: 1 | -1, byteCount: number): void {
    this.versionCount += sign;
    this.dataBytes += sign * byteCount;
  }

  /** Drops what compaction has made superfluous, no more entries of the undo ring than `limit`. @returns whether there is more. */
  drop(limit: number): boolean {
    const { undo, compactRevision } = this;
    for (let left = limit; left > 0 && undo.nextRevision() <= compactRevision; left--) this.#dropOldest();
    return undo.nextRevision() <= compactRevision;
  }

  /** Does a piece of giving memory back. @returns whether there may be more. */
  giveBack(isThorough: boolean): boolean {
    let isMore = false;
    for (const slabs of this.#slabs) if (slabs.giveBack(isThorough)) isMore = true;
    return isMore;
  }

  /** Takes a key out as if it had never been; entries of the undo ring may still be of it. */
  forget(reference: number): void {
    const words = this.blocks.wordsAt(reference);
    const at = Slabs.wordOf(reference);
    if (!isDeletedAt(words, at)) this.keyCount--;
    this.deadlines.change(words, at, deadlineAt(words, at), 0);
    this.probe.setFrom(words, at);
    this.#removeKey(reference);
    this.#forgottenEnd = this.undo.head;
  }

  /** Whether the entry of the undo ring that was gone to, at a place, is of a key that was forgotten. */
  isForgotten(place: number): boolean {
    const { undo } = this;
    if (!undo.isBefore(place, this.#forgottenEnd)) return false;
    this.probe.setFrom(undo.memory.words, undo.at);
    const reference = this.find();
    if (reference === NONE) return true;
    const words = this.blocks.wordsAt(reference);
    const at = Slabs.wordOf(reference);
    return revisionAt(words, at) < undo.replacedBy || !undo.leadsTo(words[at + UNDO]!, place);
  }

  #create(hash: number): void {
    const { fields } = this;
    const reference = this.writeBlock();
    this.map.insert(hash, reference);
    if (this.isOrdered) this.keys.insert(reference, fields.deadRevision);
    if (!fields.deleted) return;
    // A key that was not there is deleted: something must bring its block out again.
    const flags = BY_DELETION | NO_VERSION;
    this.memory.words[this.at + UNDO] = this.undo.push(this.memory, this.at, fields.revision, flags, NONE);
  }

  #overwrite(reference: number, hash: number): void {
    const { fields, probe, blocks } = this;
    const { deleted, revision } = fields;
    this.memory = blocks.memoryAt(reference);
    let { words } = this.memory;
    let at = Slabs.wordOf(reference);
    const wasDeleted = isDeletedAt(words, at);
    const deadlineMs = deadlineAt(words, at);
    const older = revisionAt(words, at) > this.compactRevision ? words[at + UNDO]! : NONE;
    const place = this.undo.push(this.memory, at, revision, deleted ? BY_DELETION : 0, older);
    const units = unitsAt(words, at);
    let newReference = reference;
    if (units === fields.units || blocks.resize(reference, units, fields.units)) {
      this.#valueAt = fields.write(words, at, probe, true, place);
    } else {
      newReference = blocks.allocate(fields.units);
      this.memory = blocks.memoryAt(newReference);
      words = this.memory.words;
      at = Slabs.wordOf(newReference);
      this.#valueAt = fields.write(words, at, probe, false, place);
      this.#relocate(reference, newReference, hash);
      blocks.free(reference, units);
    }
    if ((deleted || wasDeleted) && this.isOrdered) this.keys.setDead(newReference, fields.deadRevision);
    this.keyCount += Number(wasDeleted) - Number(deleted);
    if (deadlineMs !== fields.expireTimeMs) this.deadlines.change(words, at, deadlineMs, fields.expireTimeMs);
    this.countVersion(1, probe.length + fields.valueBytes);
  }

  #writeFrame(frame: Uint8Array): void {
    if (this.fields.isLong) this.#writeLongValue(frame);
    else this.memory.bytes.set(frame, this.#valueAt << 2);
    this.compressed?.count(1, this.fields.valueBytes, frame.length);
    this.#frame = undefined;
  }

  #writeLongValue(value: Uint8Array): void {
    this.memory.words[this.#valueAt] = this.longValues.add(value);
    this.memory.words[this.#valueAt + 1] = value.length;
  }

  /** Drops the oldest entry of the undo ring, to which it was gone. */
  #dropOldest(): void {
    const { undo } = this;
    const { memory, at } = undo;
    if (undo.hasVersion) this.#dropVersion(memory.words, at);
    if (undo.isReplacedByDeletion) this.#dropDeletion(memory.words, at, undo.replacedBy);
    undo.dropTail();
  }

  #dropVersion(words: Int32Array, at: number): void {
    const storedBytes = storedBytesAt(words, at);
    const plainBytes = plainBytesAt(words, at);
    this.countVersion(-1, (words[at]! & KEY_BYTES_MASK) + (plainBytes || storedBytes));
    if (plainBytes !== 0) this.compressed?.count(-1, plainBytes, storedBytes);
    const long = longValueAt(words, at);
    if (long !== undefined) this.longValues.remove(long);
  }

  /** Drops the key of a version if the deletion at a revision is still its newest. */
  #dropDeletion(words: Int32Array, at: number, revision: number): void {
    this.probe.setFrom(words, at);
    const reference = this.find();
    if (reference === NONE) return;
    const newest = this.blocks.wordsAt(reference);
    const newestAt = Slabs.wordOf(reference);
    const isNewest = isDeletedAt(newest, newestAt) && revisionAt(newest, newestAt) === revision;
    if (isNewest && !isHidingAt(newest, newestAt)) this.#removeKey(reference);
  }

  /** Takes the key in the probe out of everything but the undo ring and the deadlines. */
  #removeKey(reference: number): void {
    const words = this.blocks.wordsAt(reference);
    const at = Slabs.wordOf(reference);
    this.keys.remove(reference);
    this.map.remove(this.hash(), reference);
    this.#dropVersion(words, at);
    this.blocks.free(reference, unitsAt(words, at));
  }

  /** The block of the key in the probe has got another place. */
  #relocate(from: number, to: number, hash: number): void {
    for (const walk of this.walks) walk.noteMove(from);
    this.map.replace(hash, from, to);
    if (this.isOrdered) this.keys.relocate(from, to);
  }

  #blockMoved(from: number, to: number): void {
    const words = this.blocks.wordsAt(to);
    const at = Slabs.wordOf(to);
    if (kindOf(words[at]!) === BARE_KEY) {
      this.deadlines.moved(from, to);
      return;
    }
    this.probe.setFrom(words, at);
    this.#relocate(from, to, this.hash());
  }
}
