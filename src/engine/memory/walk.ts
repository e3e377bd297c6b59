/**
 * A walk over the state at one revision while writes go on.
 *
 * It goes over the blocks that were there when it began, in the order of memory; new ones go behind them or into other slabs.
 * What is written meanwhile is no matter, since each block leads to its version of then. A block that moves away before the
 * walk has come to it is noted by its key, and shown after the blocks. The undo ring comes last.
 */
import {
  KEY,
  KEY_BYTES_MASK,
  NONE,
  SLAB_COUNT_MAX,
  UNDO,
  UNIT_BITS,
  UNIT_MASK,
  isVersion,
  revisionAt,
  unitsAt,
} from './layout.ts';
import type { Keyspace, OpenWalk } from './keyspace.ts';
import { Slabs, type SlabCursor } from './slabs.ts';
import { isDeletedAt, showPlaced } from './version-codec.ts';
import type { Walk, WalkVisit } from '../engine.ts';
import { PlacedChange } from '../version.ts';

export class SlabWalk implements Walk, OpenWalk {
  readonly oldest: number;
  readonly #newest: number;
  readonly #keyspace: Keyspace;
  /** Slabs that are younger belong to new blocks, ... */
  readonly #birth: number;
  /** ... and so does what is behind this place in its slab. */
  readonly #top: SlabCursor | undefined;
  readonly #cursor: SlabCursor;
  readonly #moved = new KeyQueue();
  readonly #placed = new PlacedChange();
  /** The entry of the undo ring that is next, unless it was dropped. */
  #place: number;

  constructor(keyspace: Keyspace, oldest: number, newest: number) {
    const { blocks, walks } = keyspace;
    this.oldest = oldest;
    this.#newest = newest;
    this.#keyspace = keyspace;
    this.#birth = blocks.nextBirth;
    this.#top = blocks.top;
    this.#cursor = blocks.openCursor();
    this.#place = keyspace.undo.tail;
    walks.add(this);
  }

  next(visitsMax: number, visit: WalkVisit): boolean {
    const { blocks } = this.#keyspace;
    const cursor = this.#cursor;
    let left = visitsMax;
    while (cursor.slab < blocks.words.length) {
      if (!this.#isOld(cursor.slab, cursor.unit) || cursor.unit >= blocks.endOf(cursor.slab)) {
        cursor.slab++;
        cursor.unit = 0;
        continue;
      }
      if (left-- <= 0) return true;
      const words = blocks.words[cursor.slab]!;
      const at = cursor.unit << 1;
      const reference = (cursor.slab << UNIT_BITS) | cursor.unit;
      cursor.unit += unitsAt(words, at);
      if (isVersion(words[at]!) && this.#show(reference, visit) === false) left = 0;
    }
    // From here on nothing that moves has still to come.
    cursor.slab = SLAB_COUNT_MAX;
    while (!this.#moved.isEmpty) {
      if (left-- <= 0) return true;
      this.#keyspace.probe.set(this.#moved.take());
      const reference = this.#keyspace.find();
      if (reference !== NONE && this.#show(reference, visit) === false) left = 0;
    }
    return this.#nextOlder(left, visit);
  }

  get memoryBytes(): number {
    return this.#moved.memoryBytes;
  }

  close(): void {
    this.#keyspace.blocks.closeCursor(this.#cursor);
    this.#keyspace.walks.delete(this);
  }

  noteMove(reference: number): void {
    const { blocks } = this.#keyspace;
    // References are in the order of memory.
    const next = this.#cursor.slab * 2 ** UNIT_BITS + this.#cursor.unit;
    if (reference >>> 0 < next || !this.#isOld(reference >>> UNIT_BITS, reference & UNIT_MASK)) return;
    const { bytes, words } = blocks.memoryAt(reference);
    const at = Slabs.wordOf(reference);
    const start = (at + KEY) << 2;
    this.#moved.add(bytes.subarray(start, start + (words[at]! & KEY_BYTES_MASK)));
  }

  /** Whether a block was there when the walk began. */
  #isOld(slab: number, unit: number): boolean {
    if (slab === this.#top?.slab && unit >= this.#top.unit) return false;
    return this.#keyspace.blocks.isOlder(slab, this.#birth);
  }

  #show(reference: number, visit: WalkVisit): unknown {
    const { blocks, undo, longValues } = this.#keyspace;
    let memory = blocks.memoryAt(reference);
    let at = Slabs.wordOf(reference);
    if (revisionAt(memory.words, at) > this.#newest) {
      if (!undo.seek(memory.words[at + UNDO]!, this.#newest)) return undefined;
      memory = undo.memory;
      at = undo.at;
    }
    if (isDeletedAt(memory.words, at) && revisionAt(memory.words, at) <= this.oldest) return undefined;
    return visit(showPlaced(memory, at, longValues, this.#placed));
  }

  #nextOlder(visitsMax: number, visit: WalkVisit): boolean {
    const { undo, longValues } = this.#keyspace;
    let left = visitsMax;
    let place = undo.isDropped(this.#place) ? undo.tail : this.#place;
    for (; place !== undo.head; place = undo.after(place)) {
      undo.goTo(place);
      const { replacedBy } = undo;
      if (replacedBy > this.#newest) break;
      if (left-- <= 0) {
        this.#place = place;
        return true;
      }
      if (replacedBy <= this.oldest || this.#keyspace.isForgotten(place)) continue;
      const placed = showPlaced(undo.memory, undo.at, longValues, this.#placed);
      if (!undo.hasVersion || (placed.deleted && placed.revision <= this.oldest)) {
        // No read needs to know that the key was not there; but the deletion that came next must be brought out again.
        if (!undo.isReplacedByDeletion) continue;
        placed.revision = 0;
      }
      placed.replacedBy = replacedBy;
      if (visit(placed) === false) left = 0;
    }
    this.#place = undo.head;
    return false;
  }
}

const CHUNK_BYTES = 64 * 1024;
/** Before a key stands its length. */
const LENGTH_BYTES = 2;

/** Keys one behind the other in few buffers: as objects of their own they would be ten times as large. */
class KeyQueue {
  readonly #chunks: { readonly buffer: Buffer; end: number }[] = [];
  /** Where the oldest key stands in the first chunk. */
  #next = 0;

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  get memoryBytes(): number {
    return this.#chunks.length * CHUNK_BYTES;
  }

  add(key: Uint8Array): void {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.end + LENGTH_BYTES + key.length > chunk.buffer.length) {
      chunk = { buffer: Buffer.alloc(Math.max(CHUNK_BYTES, LENGTH_BYTES + key.length)), end: 0 };
      this.#chunks.push(chunk);
    }
    chunk.buffer.set(key, chunk.buffer.writeUInt16LE(key.length, chunk.end));
    chunk.end += LENGTH_BYTES + key.length;
  }

  /** The oldest key, which is taken out; there is one. */
  take(): Uint8Array {
    const { buffer, end } = this.#chunks[0]!;
    const start = this.#next + LENGTH_BYTES;
    const keyEnd = start + buffer.readUInt16LE(this.#next);
    this.#next = keyEnd;
    if (keyEnd === end) {
      this.#chunks.shift();
      this.#next = 0;
    }
    return buffer.subarray(start, keyEnd);
  }
}
